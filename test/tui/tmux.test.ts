// The real program in a real terminal, as a person would use it: keys in, letters out.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { projectRoot } from '../support/fixtures.ts';

const MISSING =
  spawnSync('tmux', ['-V']).status !== 0 && 'tmux is not installed: the dashboard is not driven in a terminal';
const STEP_MS = 50;
const WAIT_MS = 30_000;

/** Single quotes for the shell that tmux starts. */
const quoted = (words: readonly string[]): string => words.map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' ');

class Pane {
  readonly #socket: string;

  constructor(t: Test, columns: number, rows: number, words: readonly string[], env: readonly string[] = []) {
    this.#socket = `servent-test-${process.pid}-${columns}x${rows}-${Math.trunc(performance.now())}`;
    const program = [...process.execArgv, join(projectRoot, 'daemon', 'main.ts'), 'tui', ...words];
    // A shell comes after it: what is left of the terminal can be looked at.
    const line = `env ${quoted(['LANG=C.UTF-8', 'LC_ALL=C.UTF-8', ...env])} ${quoted([process.execPath, ...program])}; echo "ended $?"; stty -a | grep -o ' -\\?echo ' ; exec cat`;
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows), line);
    t.teardown(() => this.#tmux('kill-server'));
  }

  #tmux(...words: string[]): string {
    const { stdout, stderr, status } = spawnSync('tmux', ['-L', this.#socket, ...words], { encoding: 'utf8' });
    if (status !== 0 && words[0] !== 'kill-server') throw new Error(`tmux ${words[0]}: ${stderr}`);
    return stdout;
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

  pid(): string {
    return this.#tmux('display-message', '-p', '#{pane_pid}').trim();
  }

  /** Waits for what must come; the screen as it was last when it does not. */
  async until(pattern: RegExp): Promise<string> {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const text = this.text();
      if (pattern.test(text)) return text;
      if (Date.now() > deadline) throw new Error(`${pattern} never came; the screen is\n${text}`);
      await wait(STEP_MS);
    }
  }
}

for (const [columns, rows] of [
  [80, 24],
  [120, 40],
  [200, 50],
] as const)
  t.test(`the dashboard in a terminal of ${columns} by ${rows}`, { skip: MISSING, timeout: 120_000 }, async t => {
    const pane = new Pane(t, columns, rows, ['--demo']);
    await pane.until(/ultrapeers +9/);
    for (const [key, shown] of [
      ['2', /ADDRESS +ROLE/],
      ['3', /QUERY/],
      ['4', /SEARCH +STATE/],
      ['5', /DONE/],
      ['6', /in slots/],
      ['7', /Shared folders/],
      ['8', /Host cache/],
      ['9', /WHAT/],
      ['0', /gnutella\.maxLeaves/],
      ['?', /Help/],
    ] as const) {
      pane.keys(key);
      await pane.until(shown);
    }
    pane.keys('Escape', ':');
    pane.type('connect 192.0.2.99:6346');
    pane.keys('Enter');
    await pane.until(/connected to 192\.0\.2\.99:6346/);
    pane.keys('5', 'p');
    await pane.until(/paused \S/);
    pane.keys('r');
    await pane.until(/resumed \S/);
    pane.keys('2');
    pane.type('/192.0.2.99');
    pane.keys('Enter', 'x');
    await pane.until(/Disconnect 1 peer\?/);
    pane.keys('y');
    await pane.until(/disconnected 192\.0\.2\.99/);
    pane.keys('1');
    pane.resize(columns + 7, rows + 3);
    await pane.until(new RegExp(`^(?=.{${columns + 7}}$)╭─ Servent ─+╮╭─ Network ─+╮$`, 'm'));
    pane.keys('q');
    t.match(
      await pane.until(/ended 0\s+echo/),
      /^\s*ended 0\s+echo\s*$/,
      'nothing is left on the terminal, and it echoes',
    );
  });

t.test('colours switched off, and characters that any terminal has', { skip: MISSING, timeout: 60_000 }, async t => {
  const pane = new Pane(t, 80, 24, ['--demo', '--ascii'], ['NO_COLOR=1', 'TERM=xterm']);
  const text = await pane.until(/ultrapeers +9/);
  t.match(text, /\+- Servent -+\+/);
  t.match(text, /^[\n -~]*$/);
  pane.keys('C-c');
  await pane.until(/ended 0/);
});
