import fc from 'fast-check';
import t from 'tap';
import { formatHttpDate, parseHttpDate } from '../../../protocol/transfer/http-date.ts';

t.test('a date reads as the platform writes it, in every year from 1970 to 9999', async t => {
  t.equal(formatHttpDate(784_111_777_000), 'Sun, 06 Nov 1994 08:49:37 GMT', 'the example of RFC 9110');
  for (const at of ['1970-01-01', '2000-02-29', '2000-03-01', '2100-02-28', '2100-03-01', '2024-12-31T23:59:59.999Z'])
    t.equal(formatHttpDate(Date.parse(at)), new Date(at).toUTCString());
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 253_402_300_799_999 }),
      at => formatHttpDate(at) === new Date(at).toUTCString(),
    ),
    { numRuns: 2000 },
  );
});

t.test('a date is read back to the second, and only a date that exists', async t => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), at => {
      return parseHttpDate(formatHttpDate(at)) === Math.floor(at / 1000) * 1000;
    }),
    { numRuns: 2000 },
  );
  for (const text of [
    '',
    'Mon, 06 Nov 1994 08:49:37 GMT',
    'Thu, 31 Feb 2000 00:00:00 GMT',
    'Sun, 06 Nov 1994 24:49:37 GMT',
    'Wed, 31 Dec 1969 23:59:59 GMT',
    'Sun, 06 Foo 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 CET',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
  ])
    t.equal(parseHttpDate(text), null, text);
});

t.test('a time that is no date of those years is moved to the nearer end', async t => {
  const first = 'Thu, 01 Jan 1970 00:00:00 GMT';
  for (const at of [-1, Number.NaN, Number.NEGATIVE_INFINITY]) t.equal(formatHttpDate(at), first);
  t.equal(formatHttpDate(Number.POSITIVE_INFINITY), 'Fri, 31 Dec 9999 23:59:59 GMT');
  t.equal(formatHttpDate(999.9), first, 'file times have fractions');
});
