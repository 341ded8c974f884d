// What is taken for a hook, and what is not.
import t from 'tap';
import { hookConfigOf, hookList } from '../../settings/hook-config.ts';

const WEB = { name: 'web', url: 'https://example.net/hook?key=1' };
const PROGRAM = { name: 'program', command: ['/bin/true', ''] };

t.test('a hook has a name and one of an address and a command, and defaults for the rest', async t => {
  const defaults = { topics: ['downloads'], types: [], timeout: 10 };
  t.strictSame(hookConfigOf(WEB), { ...defaults, ...WEB });
  t.strictSame(hookConfigOf(PROGRAM), { ...defaults, ...PROGRAM });
  const all = { ...WEB, topics: ['peers', 'status'], types: ['link.opened'], secretFile: 'key', timeout: 0.1 };
  t.strictSame(hookConfigOf(all), all);
});

t.test('a hook with something wrong is refused, whatever is wrong', async t => {
  const wrong: readonly unknown[] = [
    ...[null, undefined, 7, 'web', [], {}, [WEB], { url: WEB.url }, { name: 'nowhere' }, { ...WEB, ...PROGRAM }],
    ...['', 'Web', '-web', 'a b', 'a'.repeat(41), 7, null].map(name => ({ ...WEB, name })),
    ...['', 'example.net', 'ftp://example.net/', 'file:///etc/passwd', `http://x/${'y'.repeat(2048)}`, 7, null].map(
      url => ({
        ...WEB,
        url,
      }),
    ),
    ...['', [], [7], '/bin/true', Array(65).fill('x'), ['x'.repeat(4097)], null].map(command => ({
      ...PROGRAM,
      command,
    })),
    ...[[], ['queries'], ['log'], ['nothing'], 'peers', null].map(topics => ({ ...WEB, topics })),
    ...[['query.passed'], ['nothing'], 'link.opened', Array(65).fill('link.opened'), null].map(types => ({
      ...WEB,
      types,
    })),
    ...[0, 0.09, 601, '10', Number.NaN, null].map(timeout => ({ ...WEB, timeout })),
    ...['', 7, null].map(secretFile => ({ ...WEB, secretFile })),
    { ...PROGRAM, secretFile: 'key' },
    { ...WEB, colour: 'red' },
    JSON.parse('{"name":"web","url":"http://127.0.0.1/","__proto__":{}}'),
  ];
  for (const given of wrong) t.equal(hookConfigOf(given), null, JSON.stringify(given));
});

t.test('a list of hooks names the wrong one, and each name once', async t => {
  t.match(hookList.check([]), { ok: true, value: [] });
  t.match(hookList.check([WEB, PROGRAM]), { ok: true, value: [WEB, PROGRAM] });
  t.strictSame(hookList.check([WEB, {}]), { ok: false, item: 1 });
  t.strictSame(hookList.check([WEB, WEB]), { ok: false, item: null });
  t.strictSame(hookList.check(Array.from({ length: 33 }, (_, i) => ({ ...WEB, name: `h${i}` }))), {
    ok: false,
    item: null,
  });
  t.strictSame(hookList.check(hookList.fromText('{"name":')), { ok: false, item: null });
});
