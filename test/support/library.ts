// A library over folders of a test, with a real store in the test's data folder.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { HashPool } from '../../daemon/library/hash-pool.ts';
import { Library, type LibraryOptions } from '../../daemon/library/library.ts';
import { FileStore } from '../../daemon/store/files.ts';
import { Store } from '../../daemon/store/store.ts';

export const sha1 = (data: string | Buffer): Buffer => createHash('sha1').update(data).digest();

// One for all tests of a file: under the test runner's loader a thread takes long to start.
const hashPool = new HashPool(1);
t.teardown(() => hashPool.close());

/** A log, and the messages of its warnings and errors. */
export function spiedLog() {
  const messages: string[] = [];
  const write = (line: string): void => {
    messages.push((JSON.parse(line) as { msg: string }).msg);
  };
  return { log: pino({ level: 'warn' }, { write }), messages };
}

export interface Opened {
  library: Library;
  messages: string[];
  /** Stops it and closes its store, as the daemon does. */
  close: () => Promise<void>;
}

/** A started library over the folders, its database in `data`. */
export async function openLibrary(
  t: Test,
  data: string,
  folders: string[],
  over: Partial<LibraryOptions> & { fileStore?: (store: FileStore) => FileStore } = {},
): Promise<Opened> {
  const { log, messages } = spiedLog();
  const store = await Store.open(join(data, 'db'), log);
  const files = new FileStore(store, log);
  const { fileStore, ...rest } = over;
  const library = new Library({
    folders,
    store: fileStore?.(files) ?? files,
    log,
    rescanIntervalMs: 0,
    hashPool,
    ...rest,
  });
  const close = async (): Promise<void> => {
    await library.stop();
    await store.close();
  };
  t.teardown(close);
  await library.start();
  return { library, messages, close };
}

export const names = (library: Library): string[] =>
  library
    .list(0, 10_000)
    .filter(({ file }) => file !== null)
    .map(({ name }) => name)
    .sort();

export const find = (library: Library, text: string): string[] =>
  library
    .match({ flags: 0, maxHits: 0, text, urns: [], ggep: [], xml: null, malformed: 0 }, 100)
    .map(({ name }) => name);
