// Compiles protocol/digest/assembly/tiger.ts to WebAssembly and puts it, as text that needs no file at run time, beside what tsc built.
// Does nothing while neither the source nor this file nor the compiler has changed.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = join(root, 'protocol', 'digest', 'assembly');
const target = join(root, 'dist', 'protocol', 'digest', 'tiger-wasm.js');
/** 64 KiB each: tables and nodes in the first, 1 MiB of input in the others. The memory never grows. */
const MEMORY_PAGES = 17;

const options = [
  ...['--runtime', 'stub', '--noAssert', '--enable', 'bulk-memory'],
  ...['--optimizeLevel', '3', '--shrinkLevel', '0'],
  ...['--initialMemory', `${MEMORY_PAGES}`, '--maximumMemory', `${MEMORY_PAGES}`],
];

const stamp = createHash('sha1');
for (const file of [
  join(folder, 'tiger.ts'),
  fileURLToPath(import.meta.url),
  join(root, 'node_modules', 'assemblyscript', 'package.json'),
])
  stamp.update(readFileSync(file)).update('\0');
const firstLine = `// Compiled from ${stamp.digest('hex')}\n`;

if (!existsSync(target) || !readFileSync(target, 'utf8').startsWith(firstLine)) {
  const { default: asc } = await import('assemblyscript/asc'); // slow to load
  let wasm = null;
  const { error, stderr } = await asc.main(['tiger.ts', '--baseDir', folder, '--outFile', 'tiger.wasm', ...options], {
    writeFile: (_name, bytes) => {
      wasm = bytes;
    },
  });
  process.stderr.write(stderr.toString());
  if (error !== null || wasm === null) throw error ?? new Error('the compiler wrote nothing');
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, `${firstLine}export const tigerWasm = '${Buffer.from(wasm).toString('base64')}';\n`);
}
