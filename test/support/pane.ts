// A program in a real terminal (tmux), as a person would use it: keys in, letters out.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Test } from 'tap';
import { projectRoot } from './fixtures.ts';

/** A reason to skip; false when it is there. */
export const TMUX_MISSING =
  spawnSync('tmux', ['-V']).status !== 0 && 'tmux is not installed: the dashboard is not driven in a terminal';
/** Built before the tests run. */
export const SERVENT = join(projectRoot, 'dist', 'daemon', 'main.js');

const STEP_MS = 100;
/** Under load a machine may draw a picture a second. */
const WAIT_MS = 60_000;
let panes = 0;

/** Single quotes for the shell that tmux starts. */
const quoted = (words: readonly string[]): string => words.map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' ');

export class Pane {
  readonly #socket = `servent-test-${process.pid}-${++panes}`;

  /** `servent tui WORDS…`; a shell comes after it, so that what is left of the terminal can be looked at. */
  constructor(t: Test, columns: number, rows: number, words: readonly string[], env: readonly string[] = []) {
    const config = mkdtempSync(join(tmpdir(), 'servent-pane-'));
    const settings = ['LANG=C.UTF-8', 'LC_ALL=C.UTF-8', `XDG_CONFIG_HOME=${config}`, ...env];
    const program = quoted([process.execPath, SERVENT, 'tui', ...words]);
    const line = `before=$(stty -g); env ${quoted(settings)} ${program}; echo "ended $?"; [ "$before" = "$(stty -g)" ] && echo same terminal; exec cat`;
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows), line);
    t.teardown(() => {
      this.#tmux('kill-server');
      rmSync(config, { recursive: true, force: true });
    });
  }

  keys(...keys: string[]): void {
    for (const key of keys) this.#tmux('send-keys', key);
  }

  type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  text(): string {
    return this.#tmux('capture-pane', '-p');
  }

  /** Of the terminal: whether the alternate screen, the cursor and the mouse are on. */
  modes(): { alternate: boolean; cursor: boolean; mouse: boolean } {
    const [alternate, cursor, mouse] = this.#tmux(
      'display-message',
      '-p',
      '#{alternate_on} #{cursor_flag} #{mouse_any_flag}',
    )
      .trim()
      .split(' ');
    return { alternate: alternate === '1', cursor: cursor === '1', mouse: mouse === '1' };
  }

  /** Of the program in the pane. */
  get pid(): number {
    const shell = this.#tmux('display-message', '-p', '#{pane_pid}').trim();
    return Number(spawnSync('pgrep', ['-P', shell], { encoding: 'utf8' }).stdout.trim().split('\n')[0]);
  }

  /** Waits for what must come; throws with the screen as it was last when it does not. */
  async until(pattern: RegExp): Promise<string> {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const text = this.text();
      if (pattern.test(text)) return text;
      if (Date.now() > deadline) throw new Error(`${pattern} never came; the screen is\n${text}`);
      await wait(STEP_MS);
    }
  }

  #tmux(...words: string[]): string {
    const { stdout, stderr, status } = spawnSync('tmux', ['-L', this.#socket, ...words], { encoding: 'utf8' });
    if (status !== 0 && words[0] !== 'kill-server') throw new Error(`tmux ${words[0]}: ${stderr}`);
    return stdout;
  }
}
