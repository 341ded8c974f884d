// The dashboard on the demo network in a real terminal.
import t from 'tap';
import { Pane, TMUX_MISSING } from '../support/pane.ts';

for (const [columns, rows] of [
  [80, 24],
  [120, 40],
  [200, 50],
] as const)
  t.test(`the dashboard in a terminal of ${columns} by ${rows}`, { skip: TMUX_MISSING, timeout: 60_000 }, async t => {
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
    await pane.until(new RegExp(`^(?=.{${columns + 7}}$)╭─ Servent ─+╮╭─ Network`, 'm'));
    pane.keys('q');
    t.match(
      await pane.until(/ended 0\s+same terminal/),
      /^\s*ended 0\s+same terminal\s*$/,
      'nothing is left on the terminal, and it is as it was',
    );
    t.strictSame(pane.modes(), { alternate: false, cursor: true, mouse: false });
  });

t.test(
  'colours switched off, and characters that any terminal has',
  { skip: TMUX_MISSING, timeout: 60_000 },
  async t => {
    const pane = new Pane(t, 80, 24, ['--demo', '--ascii'], ['NO_COLOR=1', 'TERM=xterm']);
    const text = await pane.until(/ultrapeers +9/);
    t.match(text, /\+- Servent -+\+/);
    t.match(text, /^[\n -~]*$/);
    pane.keys('C-c');
    await pane.until(/ended 0/);
  },
);
