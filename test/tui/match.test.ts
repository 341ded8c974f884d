import fc from 'fast-check';
import t from 'tap';
import { fieldsOf } from '../../api/fields.ts';
import { parseFilter } from '../../api/filter.ts';
import { download } from '../../api/schemas/transfers.ts';
import { filterText, matcher } from '../../tui/match.ts';
import { aDownload } from '../support/sample-views.ts';

const FIELDS = fieldsOf(download);
const NOW = Date.parse('2026-11-21T11:00:00Z');
const accepts = (typed: string): boolean => matcher<object>(typed, FIELDS, NOW).accepts(aDownload);
const fault = (typed: string): string | null => matcher<object>(typed, FIELDS, NOW).fault;

t.test('bare words are looked for in texts and choices; the language is the one of the API', async t => {
  for (const typed of ['', 'moon', 'MOON blue', 'active', '"blue moon"', '!red', 'moon !paused', 'not red'])
    t.ok(accepts(typed), typed);
  for (const typed of ['red', 'moon red', '!moon', 'paused', '"moon blue"']) t.notOk(accepts(typed), typed);
  for (const typed of ['size>4M', 'size>4M moon', 'state=active and rate>1k', 'state in (active, queued) blue'])
    t.ok(accepts(typed), typed);
  for (const typed of ['size<4M', 'state!=active', 'addedAt<-2h', 'moon and (red or size<1)'])
    t.notOk(accepts(typed), typed);
  t.ok(accepts('name like "*.ogg" addedAt>-2h'));
  t.equal(
    filterText('state=paused big', FIELDS),
    'state=paused and ("big" or state~"big" or order~"big")'.replace('=', ' = '),
  );
});

t.test('a fault says what would be understood, and keeps everything', async t => {
  t.match(fault('size>'), /expected a value for size/);
  t.match(fault('state=gone'), /expected one of queued, active, paused/);
  t.match(fault('colour=red'), /unknown field colour; fields are id, name, size/);
  t.match(fault('"moon'), /closing " is missing/);
  t.match(fault('(moon'), /expected `\)`/);
  t.ok(accepts('colour=red'));
});

t.test('whatever is typed is understood or refused, and what is understood the API understands', async t => {
  const piece = fc.constantFrom(
    'moon',
    'size',
    '>',
    '=',
    '1MiB',
    '(',
    ')',
    '"',
    'and',
    'or',
    'not',
    '!',
    '!x',
    'state',
    ',',
    'in',
    '~',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.constantFrom('', ' '), (pieces, gap) => {
      const typed = pieces.join(gap);
      if (fault(typed) === null && typed.trim() !== '') parseFilter(filterText(typed, FIELDS), FIELDS, NOW);
    }),
    { numRuns: 2000 },
  );
  t.pass();
});
