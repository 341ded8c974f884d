// Stores the remembered data in a file: read once, rewritten shortly after a change.
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { absoluteOrNull, homeFolder } from '../api/home.ts';
import type { Remembered } from './remembered.ts';

const WRITE_AFTER_MS = 500;

/** Path by https://specifications.freedesktop.org/basedir-spec/latest/; null for a user without a home. */
export function memoryPath(env: Readonly<Record<string, string | undefined>>): string | null {
  const home = homeFolder(env);
  const base = absoluteOrNull(env['XDG_CONFIG_HOME']) ?? (home === null ? null : join(home, '.config'));
  return base === null ? null : join(base, 'servent', 'dashboard.json');
}

export class MemoryFile {
  readonly #path: string;
  readonly #onNotice: (text: string) => void;
  #written = '';
  #waiting: Remembered | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** `onNotice` receives messages about failed reads and writes. */
  constructor(path: string, onNotice: (text: string) => void) {
    this.#path = path;
    this.#onNotice = onNotice;
  }

  /** Reads the file; null if it does not exist or is invalid. */
  async read(): Promise<Remembered | null> {
    try {
      const text = await readFile(this.#path, 'utf8');
      const { parseRemembered } = await import('./remembered.ts');
      const remembered = parseRemembered(text);
      if (remembered === null) this.#onNotice(`${this.#path} is invalid and was not used`);
      else this.#written = text;
      return remembered;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#onNotice(`${this.#path}: ${reasonOf(error)}`);
      return null;
    }
  }

  /** Schedules a write if the data changed. */
  keep(remembered: Remembered): void {
    this.#waiting = remembered;
    this.#timer ??= setTimeout(() => void this.flush(), WRITE_AFTER_MS).unref();
  }

  /** Writes pending data. Never rejects. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#waiting === null) return;
    const text = `${JSON.stringify(this.#waiting, null, 2)}\n`;
    this.#waiting = null;
    if (text === this.#written) return;
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      const { default: writeFileAtomic } = await import('write-file-atomic');
      await writeFileAtomic(this.#path, text, { mode: 0o600 });
      this.#written = text;
    } catch (error) {
      this.#onNotice(`cannot save order and columns: ${reasonOf(error)}`);
    }
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
