// The rules of the house that a linter cannot see, checked on the source text.
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import t from 'tap';
import { projectRoot } from './support/fixtures.ts';

interface Source {
  path: string;
  text: string;
}

const skipped = new Set(['node_modules', 'dist', '.git', '.tap', 'fixtures']);

function sources(folder: string, accept: RegExp): Source[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : sources(path, accept);
    if (!accept.test(entry.name)) return [];
    return [{ path: relative(projectRoot, path).split(sep).join('/'), text: readFileSync(path, 'utf8') }];
  });
}

const code = sources(projectRoot, /\.(ts|mjs)$/).filter(source => source.path !== 'test/tidy.test.ts');
const prose = sources(projectRoot, /\.(md|ts|mjs|json|yaml|yml|sh|service)$|^run$/).filter(
  source => source.path !== 'test/tidy.test.ts',
);

function offenders(files: Source[], pattern: RegExp): string[] {
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${line.trim().slice(0, 100)}`] : [])),
  );
}

t.test('protocol/, measure/ and sim/ take time, randomness and the environment as arguments', async t => {
  const pure = code.filter(({ path }) => /^(protocol|measure|sim)\//.test(path));
  t.ok(pure.length > 0);
  t.strictSame(offenders(pure, /Math\.random|\bprocess\.[a-z]|randomBytes|randomUUID|\bDate\.now|from 'uuid'/), []);
});

t.test('sim/ takes functions whose last bit differs between machines from exact-math.ts', async t => {
  const files = code.filter(({ path }) => /^sim\/(?!plot\/|exact-math)/.test(path));
  t.ok(files.length > 0);
  t.strictSame(offenders(files, /Math\.(log|exp|pow|a?sin|a?cos|a?tan|cbrt|hypot)/), []);
});

t.test('only pure libraries enter protocol/, measure/ and sim/', async t => {
  const allowed = new Set([
    'node:buffer',
    'node:crypto',
    'node:zlib',
    'rfc4648',
    'ipaddr.js',
    'saxes',
    'content-disposition',
  ]);
  const imports = code
    .filter(({ path }) => /^(protocol|measure|sim)\//.test(path))
    .flatMap(({ path, text }) => [...text.matchAll(/from '([^.'][^']*)'/g)].map(match => `${path} ${match[1]}`));
  t.strictSame(
    imports.filter(line => !allowed.has(line.split(' ')[1] ?? '')),
    [],
  );
});

/** Files of the project that a file names in its imports, those of types and those at run time too. */
function importsOf({ path, text }: Source): string[] {
  const named = text.matchAll(/^(?:import|export) (?:[^;]*? from )?'(\.[^']+)'|\bimport\('(\.[^']+)'\)/gms);
  return [...named].map(([, atOnce, later]) => posix.join(posix.dirname(path), atOnce ?? later ?? ''));
}

/** A way from a file back to itself, or null. */
function circleIn(graph: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>();
  const way: string[] = [];
  const visit = (path: string): string[] | null => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return null;
    done.add(path);
    way.push(path);
    for (const next of graph.get(path) ?? []) {
      const circle = visit(next);
      if (circle !== null) return circle;
    }
    way.pop();
    return null;
  };
  for (const path of graph.keys()) {
    const circle = visit(path);
    if (circle !== null) return circle;
  }
  return null;
}

t.test('no file imports itself over others, not even for a type', async t => {
  const graph = new Map(code.map(source => [source.path, importsOf(source)]));
  t.ok((graph.get('daemon/main.ts') ?? []).includes('cli/command-line.ts'), 'imports are seen');
  t.equal(circleIn(graph), null);
  t.strictSame(circleIn(new Map(Object.entries({ a: ['b'], b: ['a'] }))), ['a', 'b', 'a'], 'a circle would be seen');
});

/** Folder in protocol/overlay/ in which a file is; null: in none. */
function roomOf(path: string): string | null {
  return /^protocol\/overlay\/([^/]+)\//.exec(path)?.[1] ?? null;
}

t.test('rooms of protocol/overlay/ import each other in one direction, and nothing above them', async t => {
  const overlay = code.filter(({ path }) => path.startsWith('protocol/overlay/'));
  const rooms = new Map<string, string[]>();
  for (const source of overlay) {
    const room = roomOf(source.path);
    if (room === null) continue;
    const others = importsOf(source).flatMap(path => roomOf(path) ?? []);
    rooms.set(room, [...(rooms.get(room) ?? []), ...others.filter(other => other !== room)]);
  }
  t.ok(rooms.get('datagrams')?.includes('queries'), 'imports are seen');
  t.equal(circleIn(rooms), null);
  const above = /^protocol\/(bootstrap\/|servent(-parts|-shell|-sink)?\.ts$)/;
  t.strictSame(
    overlay.filter(source => importsOf(source).some(path => above.test(path))).map(({ path }) => path),
    [],
  );
});

t.test('docs/architecture.md names only files that exist', async t => {
  const { text } = prose.find(({ path }) => path === 'docs/architecture.md') ?? { text: '' };
  const paths = code.map(({ path }) => `/${path}`);
  const rows = text.split('\n').flatMap(line => line.match(/(?<![\w/.-])[\w/-]+\.ts\b/g) ?? []);
  // the tables of protocol/overlay/ and protocol/bootstrap/ name files without the suffix
  const stems = [...text.matchAll(/`([a-z]+(?:-[a-z0-9]+)+)`/g)].map(match => `${match[1]}.ts`);
  t.ok(rows.length > 200 && stems.length > 40, `${rows.length} names with a suffix, ${stems.length} without`);
  t.strictSame(
    [...rows, ...stems].filter(name => !paths.some(path => path.endsWith(`/${name}`))),
    [],
  );
});

t.test('browser names stay in web/, and nothing there makes markup out of text', async t => {
  const web = code.filter(({ path }) => path.startsWith('web/'));
  t.ok(web.length > 0);
  t.strictSame(offenders(web, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|localStorage/), []);
  const others = code.filter(({ path }) => /^(protocol|settings|api|daemon|cli|tui)\//.test(path));
  t.strictSame(
    offenders(
      others,
      /(?<![.\w'"`-])((window|sessionStorage|localStorage)\.\w|document\.(body|createE|getElement|query))/,
    ),
    [],
  );
});

t.test('no file holds two ideas: none is longer than 500 lines', async t => {
  const long = code.filter(({ text }) => text.split('\n').length > 501).map(({ path }) => path);
  t.strictSame(long, []);
});

t.test('no drawer for odds and ends', async t => {
  const drawers = code.filter(
    // bench/index.ts measures the search index
    ({ path }) => /(^|\/)(utils?|helpers?|types|misc|index)\.(ts|mjs)$/.test(path) && path !== 'bench/index.ts',
  );
  t.strictSame(drawers, []);
});

t.test('no error is swallowed and no test is left alone or undone', async t => {
  t.strictSame(offenders(code, /catch *(\([^)]*\))? *\{ *\}|\.catch\(\(\) *=> *(\{\}|undefined|void 0)\)/), []);
  t.strictSame(offenders(code, /\.(only|todo)\(|\b(TODO|FIXME|XXX|HACK)\b/), []);
});

t.test('the tree names no machine path and no registry host', async t => {
  t.strictSame(offenders(prose, /\/work\/|\/farm\/|\/tmp\/[a-z]|registry\.npmjs/), []);
  t.notOk(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8').includes('"resolved"'));
});
