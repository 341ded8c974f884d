// Reads the version from package.json, at the depth of sources or of dist/.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findPackage(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) return file;
    if (folder === dirname(folder)) throw new Error(`no package.json above ${from}: reinstall servent`);
  }
}

const packageFile = findPackage(dirname(fileURLToPath(import.meta.url)));
const { version: packageVersion } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };

/** Folder that has conf/. */
export const packageFolder: string = dirname(packageFile);

export const version: string = packageVersion;
