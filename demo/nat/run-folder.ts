// A temporary folder for the files of one run, removed when its process ends; those of dead runs are removed as well.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isOfDeadRun, runPrefix } from './run-name.ts';

/** Path of a new folder. */
export function makeRunFolder(): string {
  for (const name of readdirSync(tmpdir())) {
    if (isOfDeadRun(name)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
  const folder = mkdtempSync(join(tmpdir(), runPrefix()));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
