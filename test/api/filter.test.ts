import fc from 'fast-check';
import t from 'tap';
import { fieldsOf, readerOf } from '../../api/fields.ts';
import { FilterError, parseFilter } from '../../api/filter.ts';
import { globMatcher } from '../../api/glob.ts';
import * as overlay from '../../api/schemas/overlay.ts';
import * as transfers from '../../api/schemas/transfers.ts';
import { aDownload, aPeer } from '../support/sample-views.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const downloadFields = fieldsOf(transfers.download);

function holds(text: string, row: object = aDownload, fields = downloadFields): boolean {
  return parseFilter(text, fields, NOW).compile(readerOf<object>(value => value, {}))(row);
}

function faultOf(text: string): string {
  try {
    parseFilter(text, downloadFields, NOW);
  } catch (error) {
    if (error instanceof FilterError) return error.message;
    throw error;
  }
  return 'understood';
}

t.test('numbers, texts, choices, times, truth values and lists are compared as what they are', async t => {
  for (const [text, expected] of [
    ['size=4200000', true],
    ['size = 4.2M', true],
    ['size>4MiB', true],
    ['size>=4200000 and size<=4200000', true],
    ['size<4.2MB', false],
    ['done!=size', null],
    ['state=active', true],
    ['state!=active', false],
    ['not state=paused', true],
    ['state in (paused, active)', true],
    ['state in (paused, failed)', false],
    ['name="blue moon.ogg"', true],
    ['name="Blue Moon.ogg"', false],
    ['name~"BLUE"', true],
    ['name!~moon', false],
    ['name like "*.OGG"', true],
    ['name like "b?ue*n.ogg"', true],
    ['name like "moon"', false],
    ['addedAt<2026-11-22', true],
    ['addedAt>2026-11-21T09:59:59Z', true],
    ['addedAt>2026-11-21T09:59', true],
    ['addedAt=2026-11-21T11:00:00+01:00', true],
    ['addedAt>-3h', true],
    ['addedAt>-90m', false],
    ['path=null', true],
    ['path!=null', false],
    ['path=x or path!=x', true],
    ['path<x or path>x', false],
    ['sources=1', true],
    ['sources>1', false],
    ['sources.address~":6349"', true],
    ['sources.push=false', true],
    ['sources.push', false],
    ['"MOON"', true],
    ["'6349'", true],
    ['"sun"', false],
    ['NOT "sun" AND ("moon" OR size=0)', true],
    ['state=failed or state=active and size>1k', true],
    ['(state=failed or state=active) and size<1k', false],
  ] as const)
    if (expected === null) t.not(faultOf(text), 'understood', text);
    else t.equal(holds(text), expected, text);
  const peers = fieldsOf(overlay.peer);
  t.equal(holds('deflate and messages.in>1k', aPeer, peers), true);
  t.equal(holds('not deflate', aPeer, peers), false);
  t.equal(holds('compression.out=true', aPeer, peers), false);
});

t.test('what cannot be understood is told with its place', async t => {
  for (const [text, message] of [
    ['sise>1', /at character 1: there is no field sise; there are id, name/],
    ['size>1 and sise>1', /at character 12/],
    ['size', /expected = != < <= > >= ~ !~ like or in after size/],
    ['size 7', /after size/],
    ['size>', /expected a value for size/],
    ['size>big', /expected a number such as/],
    ['size~1', /`~` is for texts/],
    ['state>active', /has no order/],
    ['state=done', /expected one of queued, active/],
    ['addedAt>yesterday', /expected a time such as/],
    ['addedAt>2026-13-41', /expected a time such as/],
    ['name="moon', /the text in " never ends/],
    ['(size>1', /expected `\)` for the `\(` at 1/],
    ['size>1)', /expected `and`, `or`, or the end/],
    ['', /expected a field/],
    ['size>1 size<2', /expected `and`/],
    ['state in active', /expected `\(` after `in`/],
    ['state in (active', /expected `,` or `\)`/],
    ['!size', /unexpected "!"/],
    ['__proto__=1', /there is no field __proto__/],
    ['constructor=1', /there is no field constructor/],
  ] as const)
    t.match(faultOf(text), message, text);
});

t.test('bombs are refused before they go off', async t => {
  t.match(faultOf(`${'('.repeat(500)}size>1${')'.repeat(490)}`), /at most 16 levels/);
  t.match(faultOf(`${'not '.repeat(200)}size>1`), /at most 16 levels/);
  t.match(faultOf(Array(70).fill('size>1').join(' or ')), /at most 64 tests/);
  t.match(faultOf(`state in (${Array(70).fill('active').join(',')})`), /at most 64 tests/);
  t.match(faultOf(`name="${'x'.repeat(1000)}"`), /at most 1000 characters/);
  // A backtracking matcher needs years for this one.
  const glob = globMatcher(`${'*a'.repeat(400)}*b`);
  const started = performance.now();
  t.equal(glob('a'.repeat(4096)), false);
  t.ok(performance.now() - started < 1000);
});

t.test('a glob means what a regular expression would', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '.'), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (glob, given) => {
      const source = glob.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
      return globMatcher(glob)(given) === new RegExp(`^${source}$`, 's').test(given);
    }),
    { numRuns: 2000 },
  );
});

t.test('any text is understood or refused, and what is understood answers for any row', async () => {
  const word = fc.constantFrom(
    ...[
      'size',
      'name',
      'state',
      'sources',
      'sources.push',
      'eta',
      'addedAt',
      'and',
      'or',
      'not',
      'in',
      'like',
      '(',
      ')',
    ],
    ...[
      '=',
      '!=',
      '<',
      '>',
      '~',
      '!~',
      ',',
      '"',
      "'",
      '\\',
      '1',
      '1k',
      'null',
      'true',
      'active',
      '-2h',
      '2026-11-21',
      ' ',
    ],
  );
  const text = fc.oneof(
    fc.array(word, { maxLength: 14 }).map(words => words.join(' ')),
    fc.string({ maxLength: 80 }),
  );
  const row = fc.record({ size: fc.anything(), name: fc.anything(), state: fc.anything(), sources: fc.anything() });
  fc.assert(
    fc.property(text, row, (given, value) => {
      try {
        return typeof holds(given, value) === 'boolean';
      } catch (error) {
        return error instanceof FilterError;
      }
    }),
    { numRuns: 5000 },
  );
});
