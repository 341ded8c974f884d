import fc from 'fast-check';
import t from 'tap';
import { EventFrames } from '../../api/live/frames.ts';

t.test('frames come out with id, event and data', async t => {
  const frames = new EventFrames();
  const got = frames.push(
    ': hello\n\nretry: 2000\n\nid: 7\nevent: link.opened\ndata: {"a":1}\n\nevent: status.now\ndata: x\ndata:y\n\nid: 9\n\n',
  );
  t.strictSame(got, [
    { id: '7', event: 'link.opened', data: '{"a":1}' },
    { id: null, event: 'status.now', data: 'x\ny' },
  ]);
  t.equal(frames.retryMs, 2000);
});

t.test('any pieces and any ends of lines give the same frames', async t => {
  const line = fc.string({ unit: fc.constantFrom('a', ':', ' ', 'é', '雨', '{'), maxLength: 12 });
  fc.assert(
    fc.property(
      fc.array(fc.record({ id: fc.option(fc.nat()), data: fc.array(line, { minLength: 1, maxLength: 3 }) }), {
        maxLength: 6,
      }),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }),
      (events, end, sizes) => {
        const text = events
          .map(({ id, data }) =>
            [...(id === null ? [] : [`id: ${id}`]), ...data.map(part => `data: ${part}`), '', ''].join(end),
          )
          .join('');
        const frames = new EventFrames();
        const got = [];
        for (let at = 0, i = 0; at < text.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          got.push(...frames.push(text.slice(at, at + size)));
          at += size;
        }
        got.push(...frames.push(':')); // a last CR was waiting for its LF
        if (events.length !== got.length) t.fail(JSON.stringify([text, got]));
        for (const [i, { id, data }] of events.entries())
          if (got[i]?.data !== data.join('\n') || got[i]?.id !== (id === null ? null : String(id)))
            t.fail(JSON.stringify([text, got]));
      },
    ),
  );
  t.pass();
});

t.test('a long event in small pieces costs no more than its length, and an endless one is refused', async t => {
  const frames = new EventFrames();
  frames.push('data: ');
  // to look at all of it with each piece would take longer than the time limit of a test
  for (let i = 0; i < 200_000; i++) frames.push('x'.repeat(10));
  t.equal(frames.push('\n\n')[0]?.data.length, 2_000_000);
  const endless = new EventFrames();
  t.throws(() => {
    for (let i = 0; i < 1000; i++) endless.push('x'.repeat(10_000));
  }, /larger than/);
});
