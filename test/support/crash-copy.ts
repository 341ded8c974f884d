// Copies a folder as a crash of the process would leave it: at once, with names of one file staying names of one file.
import { copyFileSync, linkSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The folders of `home`, in this order: what the first claims the others have. */
export function crashCopy(home: string, folders: readonly string[], copy: string): void {
  const copied = new Map<number, string>();
  const copyFolder = (from: string, to: string): void => {
    mkdirSync(to, { recursive: true });
    for (const name of readdirSync(from)) {
      const [source, target] = [join(from, name), join(to, name)];
      const stat = lstatSync(source, { throwIfNoEntry: false });
      if (stat === undefined) continue; // renamed or deleted by a thread meanwhile
      const same = copied.get(stat.ino);
      if (stat.isDirectory()) copyFolder(source, target);
      else if (same !== undefined) linkSync(same, target);
      else {
        copyFileSync(source, target);
        copied.set(stat.ino, target);
      }
    }
  };
  for (const folder of folders) copyFolder(join(home, folder), join(copy, folder));
}
