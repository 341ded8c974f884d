import fc from 'fast-check';
import t from 'tap';
import { EVENT_CHARACTERS_MAX, EventTextReader, type ServerEvent } from '../../api/event-text.ts';

/** Cuts a text after each of the lengths, again and again. */
function pieces(text: string, lengths: readonly number[]): string[] {
  const out: string[] = [];
  for (let at = 0, i = 0; at < text.length; i++) {
    const length = lengths[i % lengths.length] ?? 1;
    out.push(text.slice(at, at + length));
    at += length;
  }
  return out;
}

const read = (text: string): ServerEvent[] => new EventTextReader().read(text);

t.test('however a stream is cut into pieces and its lines end, the same events come out', async t => {
  const value = fc.string({ unit: fc.constantFrom('a', ':', ' ', 'é', '{', '1', '\u{1f9ff}') });
  const sent = fc.array(
    fc.record({
      id: fc.option(fc.integer({ min: 1, max: 99 })),
      type: fc.constantFrom('link.opened', 'gap', 'query.passed'),
      lines: fc.array(value, { minLength: 1, maxLength: 3 }),
      comment: fc.boolean(),
    }),
    { maxLength: 6 },
  );
  const ending = fc.constantFrom('\n', '\r', '\r\n');
  const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
  fc.assert(
    fc.property(sent, ending, lengths, (events, end, cuts) => {
      const text = events
        .map(({ id, type, lines, comment }) =>
          [
            ...(comment ? [':', ': a heartbeat'] : []),
            ...(id === null ? [] : [`id: ${id}`]),
            `event: ${type}`,
            ...lines.map(line => `data: ${line}`),
            '',
            '',
          ].join(end),
        )
        .join('');
      const reader = new EventTextReader();
      const got = pieces(text, cuts).flatMap(piece => reader.read(piece));
      let last = '';
      const expected = events.map(({ id, type, lines }) => {
        last = id === null ? last : String(id);
        return { id: last, type, data: lines.join('\n') };
      });
      t.strictSame(got, expected);
      t.equal(reader.lastId, last);
    }),
    { numRuns: 300 },
  );
});

t.test('fields as the standard has them', async t => {
  t.strictSame(read('data: a\n\ndata:b\n\ndata\n\n'), [
    { id: '', type: 'message', data: 'a' },
    { id: '', type: 'message', data: 'b' },
    { id: '', type: 'message', data: '' },
  ]);
  t.strictSame(read('data:  two blanks\nwhatever: x\n\n'), [{ id: '', type: 'message', data: ' two blanks' }]);
  t.strictSame(read('event: nothing\n\n'), [], 'without data it is none');
  t.strictSame(read('id: 1\0\ndata: x\n\n'), [{ id: '', type: 'message', data: 'x' }]);
});

t.test('an id counts when its event is complete, and a reader goes on where another ended', async t => {
  const reader = new EventTextReader('41');
  reader.read('id: 42\ndata: x\n');
  t.equal(reader.lastId, '41');
  reader.read('\n');
  t.equal(reader.lastId, '42');
  t.strictSame(new EventTextReader('42').read('data: y\n\n'), [{ id: '42', type: 'message', data: 'y' }]);
});

t.test('the wait that the server asks for, if it is a number', async t => {
  const reader = new EventTextReader();
  reader.read('retry: 2000\n\nretry: soon\n\n');
  t.equal(reader.retryMs, 2000);
});

t.test('what never ends is given up', async t => {
  const long = 'x'.repeat(EVENT_CHARACTERS_MAX / 4);
  const line = new EventTextReader();
  t.throws(() => Array.from({ length: 6 }, () => line.read(long)), { name: 'EventTextError' });
  const lines = new EventTextReader();
  t.throws(() => Array.from({ length: 6 }, () => lines.read(`data: ${long}\n`)), { name: 'EventTextError' });
});
