import { PassThrough } from 'node:stream';
import t, { type Test } from 'tap';
import { Canvas } from '../../tui/canvas.ts';
import { Screen, type TerminalOutput } from '../../tui/screen.ts';

function opened(t: Test, mouse = false) {
  const input = new PassThrough();
  const output = Object.assign(new PassThrough(), { columns: 30, rows: 5, isTTY: true });
  let written = '';
  output.setEncoding('utf8').on('data', (text: string) => (written += text));
  const heard: string[] = [];
  const screen = new Screen({
    input,
    output: output as TerminalOutput,
    term: 'screen-256color',
    mouse,
    events: {
      key: (key, text) => heard.push(text === undefined ? key : `${key}=${text}`),
      paste: text => heard.push(`paste ${JSON.stringify(text)}`),
      click: (x, y) => heard.push(`click ${x},${y}`),
      wheel: (x, y, by) => heard.push(`wheel ${x},${y} ${by}`),
      resize: () => heard.push('resize'),
    },
  });
  t.teardown(() => screen.stop());
  const settle = () => new Promise(resolve => setImmediate(resolve));
  return {
    screen,
    output,
    heard,
    settle,
    taken: () => {
      const text = written;
      written = '';
      return text;
    },
    press: async (bytes: string) => {
      input.write(bytes);
      await settle();
    },
  };
}

t.test('the terminal is taken over, and given back as it was however often it is asked', async t => {
  const { screen, taken, settle } = opened(t, true);
  await settle();
  const entered = taken();
  for (const on of ['\x1b[?1049h', '\x1b[?25l', '\x1b[?2004h', '\x1b[?1000h'])
    t.ok(entered.includes(on), JSON.stringify(on));
  screen.stop();
  screen.stop();
  await settle();
  const left = taken();
  for (const off of ['\x1b[?1049l', '\x1b[?25h', '\x1b[?2004l', '\x1b[?1000l'])
    t.equal(left.split(off).length, 2, `${JSON.stringify(off)} once`);
  screen.show(new Canvas(30, 5));
  screen.copy('late');
  await settle();
  t.notMatch(taken(), /\[H|late/, 'nothing is painted on a terminal that is not ours');
});

t.test('keys have one name each', async t => {
  const { press, heard } = opened(t);
  for (const bytes of [
    'a',
    'G',
    '?',
    ' ',
    '\r',
    '\x1b[A',
    '\x1b[6~',
    '\t',
    '\x1b[Z',
    '\x03',
    '\x7f',
    'é',
    '雨',
    '\x1bOP',
  ])
    await press(bytes);
  t.strictSame(heard, [
    'a=a',
    'G=G',
    '?=?',
    'space= ',
    'enter',
    'up',
    'pagedown',
    'tab',
    'S-tab',
    'C-c',
    'backspace',
    'é=é',
    '雨=雨',
    'f1',
  ]);
});

t.test('Escape typed together with the next key is both of them', async t => {
  const { press, heard } = opened(t);
  for (const bytes of ['\x1b', '\x1b:ab', '\x1bq', '\x1bG', '\x1b/']) await press(bytes);
  t.strictSame(heard, ['escape', 'escape', ':=:', 'a=a', 'b=b', 'escape', 'q', 'escape', 'G', 'escape', '/=/']);
});

t.test('pasted text is text, whatever keys are in it', async t => {
  const { press, heard } = opened(t);
  await press('\x1b[200~magnet:?xt=y\rqx\x1b[201~');
  await press('j');
  t.strictSame(heard, ['paste "magnet:?xt=y\\nqx"', 'j=j']);
});

t.test('clicks and the wheel, until the mouse is let go', async t => {
  const { press, heard, screen, taken, settle } = opened(t, true);
  await press('\x1b[<0;5;3M');
  await press('\x1b[<0;5;3m');
  await press('\x1b[<65;7;2M');
  t.strictSame(heard, ['click 4,2', 'wheel 6,1 1']);
  taken();
  screen.setMouse(false);
  await settle();
  t.match(taken(), '\x1b[?1000l');
});

t.test('only what changed is written; a terminal of another size is drawn anew', async t => {
  const { screen, output, taken, settle, heard } = opened(t);
  await settle();
  taken();
  const canvas = new Canvas(30, 5);
  canvas.put(0, 0, 'hello', 0);
  screen.show(canvas);
  await settle();
  t.match(taken(), 'hello');
  screen.show(canvas);
  await settle();
  t.equal(taken(), '');
  output.columns = 40;
  output.emit('resize');
  t.strictSame(heard, ['resize']);
  t.equal(screen.columns, 40);
  screen.show(canvas);
  await settle();
  t.match(taken(), 'hello');
});

t.test('what is copied goes through the terminal', async t => {
  const { screen, taken, settle } = opened(t);
  screen.copy('magnet:?xt=x');
  await settle();
  t.match(taken(), `\x1b]52;c;${Buffer.from('magnet:?xt=x').toString('base64')}\x07`);
});
