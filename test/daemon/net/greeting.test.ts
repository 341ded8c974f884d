import fc from 'fast-check';
import t from 'tap';
import { FIRST_LINE_BYTES_MAX, Greeting, greetingOf } from '../../../daemon/net/greeting.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const longLine = (word: string, length: number) => bytes(word.padEnd(length, 'x'));

t.test('each caller is known by its first bytes', async t => {
  const cases: [string, Greeting][] = [
    ['', Greeting.Unfinished],
    ['GNUTELLA CONNECT/0.6\r\n', Greeting.Overlay],
    ['GNUTELLA CONNECT/0.4\n\n', Greeting.Overlay],
    ['GNUTELLA CONNECT/0.6', Greeting.Unfinished],
    ['GET ', Greeting.Http],
    ['GET /uri-res/N2R?urn:sha1:X HTTP/1.1\r\n', Greeting.Http],
    ['HEAD / HTTP/1.0\r\n', Greeting.Http],
    ['OPTIONS * HTTP/1.1\r\n', Greeting.Http],
    ['M-SEARCH * HTTP/1.1\r\n', Greeting.Http],
    ['GIV 0:0123456789ABCDEF0123456789ABCDEF/a b.txt\n\n', Greeting.Giv],
    ['GIV 0:01', Greeting.Unfinished],
    ['QUEUE 0123 1.2.3.4:6346\r\n', Greeting.Queue],
    ['\n\n', Greeting.Probe],
    ['\r\n', Greeting.Probe],
    ['CONNECT BACK\r\n\r\n', Greeting.Probe],
    ['CONNECT B', Greeting.Unfinished],
    ['CONNECT example.org:443 HTTP/1.1\r\n', Greeting.Http],
    ['\x16\x03\x01', Greeting.Tls],
    ['PUSH guid:0123\r\n', Greeting.Garbage],
    ['get / HTTP/1.1\r\n', Greeting.Garbage],
    [' GET / HTTP/1.1\r\n', Greeting.Garbage],
    ['BREW coffee', Greeting.Garbage],
    ['SSH-2.0-OpenSSH_9.2\r\n', Greeting.Garbage],
    ['\x13BitTorrent protocol', Greeting.Garbage],
    ['AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', Greeting.Garbage],
    ['GNUTELLA', Greeting.Unfinished],
    ['GNUTELLAS ', Greeting.Garbage],
  ];
  for (const [text, expected] of cases) t.equal(greetingOf(bytes(text)), expected, JSON.stringify(text));
});

t.test('a first line ends within its bound or not at all', async t => {
  const max = FIRST_LINE_BYTES_MAX;
  t.equal(greetingOf(longLine('GNUTELLA ', max - 1)), Greeting.Unfinished);
  t.equal(greetingOf(longLine('GNUTELLA ', max)), Greeting.TooLong);
  t.equal(greetingOf(Buffer.concat([longLine('GNUTELLA ', max - 1), bytes('\n')])), Greeting.Overlay);
  t.equal(greetingOf(Buffer.concat([longLine('GIV ', max), bytes('\n')])), Greeting.TooLong);
});

t.test('any bytes get a verdict, and never wait beyond the bound', async () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 2 * FIRST_LINE_BYTES_MAX }),
      fc.constantFrom('', 'GNUTELLA ', 'GIV '),
      (tail, word) => {
        const head = Buffer.concat([bytes(word), tail]);
        const greeting = greetingOf(head);
        return greeting !== Greeting.Unfinished || head.length < FIRST_LINE_BYTES_MAX;
      },
    ),
  );
});

t.test('a verdict once given does not change with more bytes', async () => {
  const word = fc.constantFrom(
    'GNUTELLA ',
    'GET ',
    'GIV ',
    'QUEUE ',
    'CONNECT BACK',
    'CONNECT ',
    '\n',
    '\x16',
    'POST ',
    'X',
  );
  fc.assert(
    fc.property(word, fc.string({ maxLength: 200 }), (first, rest) => {
      const whole = bytes(`${first}${rest}`);
      const verdicts = Array.from({ length: whole.length }, (_, n) => greetingOf(whole.subarray(0, n + 1)));
      const decided = verdicts.find(verdict => verdict !== Greeting.Unfinished);
      const from = verdicts.findIndex(verdict => verdict !== Greeting.Unfinished);
      return from < 0 || verdicts.slice(from).every(verdict => verdict === decided);
    }),
  );
});
