import fc from 'fast-check';
import t from 'tap';
import {
  formatClock,
  formatCount,
  formatExact,
  formatMoment,
  formatPerSecond,
  formatSince,
  formatSpan,
} from '../../tui/format.ts';
import { bar, graph, sparkline } from '../../tui/graph.ts';
import { textWidth } from '../../tui/width.ts';

t.test('spans of time are short and carry their units', async t => {
  for (const [seconds, text] of [
    [0, '0s'],
    [42.9, '42s'],
    [185, '3m05s'],
    [7500, '2h05m'],
    [349_200, '4d01h'],
    [8_640_000, '100d'],
    [-5, '0s'],
  ] as const)
    t.equal(formatSpan(seconds), text);
  t.equal(formatSince(null, 0), 'never');
  t.equal(formatSince('2026-11-21T10:00:00.000Z', Date.UTC(2026, 10, 21, 10, 3, 5)), '3m05s');
  t.equal(formatClock(Date.UTC(2026, 10, 21, 14, 3, 59), true), '14:03:59');
  t.equal(formatClock(Number.NaN), '--:--:--');
  const now = Date.UTC(2026, 10, 21, 14, 3, 59);
  t.equal(formatMoment(now - 60_000, now, true), '14:02:59', 'the clock of the tables');
  t.equal(formatMoment(now - 86_400_000, now, true), '2026-11-20 14:03:59');
  t.equal(formatMoment(Number.NaN, now), '--:--:--');
});

t.test('counts stay within five characters', async t => {
  for (const [count, text] of [
    [0, '0'],
    [9999, '9999'],
    [12_345, '12.3k'],
    [999_950, '1.0M'],
    [1.2e9, '1.2G'],
  ] as const)
    t.equal(formatCount(count), text);
  t.equal(formatExact(1234567), '1,234,567');
  t.equal(formatPerSecond(0.44), '0.4');
  t.equal(formatPerSecond(37), '37');
  fc.assert(
    fc.property(fc.nat({ max: 1e15 }), count => {
      if (formatCount(count).length > 5) t.fail(String(count));
    }),
  );
});

t.test('a bar is as wide as asked, and only full when its share is', async t => {
  t.equal(bar(0.5, 4, 'unicode'), '██  ');
  t.equal(bar(0.5625, 2, 'unicode'), '█▏');
  t.equal(bar(0.5, 4, 'ascii'), '##--');
  fc.assert(
    fc.property(fc.double(), fc.nat({ max: 50 }), fc.constantFrom('unicode', 'ascii'), (share, width, charset) => {
      const text = bar(share, width, charset);
      if (textWidth(text) !== width) t.fail(JSON.stringify([share, width]));
      if (width > 0 && share < 1 && /^[█#]+$/.test(text)) t.fail(`full at ${share}`);
    }),
  );
});

t.test('a sparkline shows the newest values at the right, and something for anything', async t => {
  t.equal(sparkline([0, 1, 4, 8], 6, 'unicode'), '   ▁▄█');
  t.equal(sparkline([9, 1, 1000], 2, 'unicode'), '▁█');
  t.equal(sparkline([0, 8], 2, 'ascii'), ' #');
});

t.test('a graph stands on the bottom or hangs from the top', async t => {
  t.strictSame(graph([1, 2, 3, 4], 2, 1, { charset: 'unicode' }), ['⣠⣾']);
  t.strictSame(graph([4, 4], 1, 2, { charset: 'unicode', max: 8 }), [' ', '⣿']);
  t.strictSame(graph([4, 4], 1, 2, { charset: 'unicode', max: 8, hanging: true }), ['⣿', ' ']);
  t.strictSame(graph([1, 2], 3, 2, { charset: 'ascii' }), ['  #', ' ##']);
});

t.test('a graph of anything has the size that was asked for', async t => {
  const numbers = fc.array(fc.double(), { maxLength: 100 });
  const size = fc.nat({ max: 20 });
  fc.assert(
    fc.property(numbers, size, size, fc.constantFrom('unicode', 'ascii'), (values, width, height, charset) => {
      const lines = graph(values, width, height, { charset });
      if (lines.length !== (width === 0 ? 0 : height) || lines.some(line => textWidth(line) !== width))
        t.fail(JSON.stringify([values, width, height]));
    }),
  );
});
