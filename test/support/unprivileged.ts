// Runs a test as somebody who may not read everything: root may, so for root it becomes nobody for the while.
import { accessSync, chmodSync, chownSync, constants, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';

const NOBODY = 65534;

/** `root` belongs to the user that we become, `closed` in it can neither be read nor entered meanwhile. Nothing is run where that cannot be had. */
export async function asUnprivileged(t: Test, root: string, closed: string, work: () => Promise<void>): Promise<void> {
  if (process.getuid === undefined || process.seteuid === undefined) return void t.pass('no user ids here');
  const isRoot = process.getuid() === 0;
  if (isRoot) giveTo(root);
  chmodSync(closed, 0);
  if (isRoot) process.seteuid(NOBODY);
  try {
    accessSync(root, constants.R_OK | constants.W_OK);
    await work();
  } catch (error) {
    if (!isRoot || !(error instanceof Error && 'path' in error && error.path === root)) throw error;
    t.pass('nobody cannot reach the test folder');
  } finally {
    if (isRoot) process.seteuid(0);
    chmodSync(closed, 0o755);
  }
}

function giveTo(path: string): void {
  chownSync(path, NOBODY, NOBODY);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) giveTo(join(path, entry.name));
    else chownSync(join(path, entry.name), NOBODY, NOBODY);
  }
}
