// Finds test/fixtures from the sources and from dist/ alike.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) throw new Error(`no package.json above ${from}`);
  }
}

/** The project's own folder. */
export const projectRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

/** JSON of test/fixtures/<name>. */
export function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(join(projectRoot, 'test', 'fixtures', name), 'utf8')) as T;
}
