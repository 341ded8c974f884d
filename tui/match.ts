// What is typed after `/`: the filter language of the API, in which a person may leave out quotes and `and`. Pure.
import type { Fields } from '../api/fields.ts';
import { FilterError, parseFilter } from '../api/filter.ts';
import { type Token, Tokens } from '../api/filter-tokens.ts';
import { readerOf } from '../api/reader.ts';

export interface Matcher<T> {
  readonly accepts: (row: T) => boolean;
  /** Why the filter cannot be understood, for a person; then everything is accepted. */
  readonly fault: string | null;
}

/** `shown` gives the values of fields that rows do not have themselves. */
export function matcher<T>(
  typed: string,
  fields: Fields,
  now: number,
  shown: Readonly<Record<string, (row: T) => unknown>> = {},
): Matcher<T> {
  try {
    const text = filterText(typed, fields);
    if (text === '') return { accepts: () => true, fault: null };
    return { accepts: parseFilter(text, fields, now).compile(readerOf<T>(row => row, shown)), fault: null };
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    return { accepts: () => true, fault: error.message.replace(/^at character \d+: /, '') };
  }
}

const JOINS = new Set(['and', 'or']);

/**
 * As the API takes it: `moon state=paused !live` becomes `("moon" or …) and state=paused and not ("live" or …)`. A bare word is
 * looked for in every text and every choice of a row. Throws FilterError.
 */
export function filterText(typed: string, fields: Fields): string {
  const tokens = tokensOf(typed);
  const parts: string[] = [];
  let joined = true; // nothing has to go between this and what is before
  for (let i = 0; i < tokens.length; ) {
    const { kind, text } = tokens[i] as Token;
    const lower = text.toLowerCase();
    if (kind === 'word' && JOINS.has(lower)) {
      parts.push(lower);
      joined = true;
      i++;
      continue;
    }
    if (kind === 'mark' && text === ')') {
      parts.push(text);
      joined = false;
      i++;
      continue;
    }
    if (!joined) parts.push('and');
    joined = false;
    if ((kind === 'word' && lower === 'not') || (kind === 'mark' && text === '(')) {
      parts.push(text);
      joined = true;
      i++;
    } else if (isOperator(tokens[i + 1]) && kind === 'word') {
      const taken = testLength(tokens, i);
      parts.push(...tokens.slice(i, i + taken).map(written));
      i += taken;
    } else if (kind === 'quoted' || (kind === 'word' && !fields.has(text)) || kind === 'word') {
      parts.push(isFlag(fields, text, kind) ? text : somewhere(text, fields));
      i++;
    } else {
      parts.push(text); // the parser says what is wrong with it
      i++;
    }
  }
  return parts.join(' ');
}

/** `!word` is short for `not word`; elsewhere `!` belongs to an operator. */
function tokensOf(typed: string): Token[] {
  const text = typed.replace(/(^|[\s(])!(?=[^\s=~)])/g, '$1 not ');
  const reader = new Tokens(text, (at, detail) => new FilterError(at, detail));
  const tokens: Token[] = [];
  for (let token = reader.take(); token.kind !== 'end'; token = reader.take()) tokens.push(token);
  return tokens;
}

const isOperator = (token: Token | undefined): boolean =>
  token?.kind === 'operator' || (token?.kind === 'word' && /^(like|in)$/i.test(token.text));

/** Field, operator and value; a list in parentheses after `in`. */
function testLength(tokens: readonly Token[], at: number): number {
  if (tokens[at + 1]?.text.toLowerCase() !== 'in') return 3;
  const end = tokens.findIndex(({ kind, text }, i) => i > at && kind === 'mark' && text === ')');
  return end < 0 ? tokens.length - at : end - at + 1;
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
const written = ({ kind, text }: Token): string => (kind === 'quoted' ? quoted(text) : text);
const isFlag = (fields: Fields, text: string, kind: Token['kind']): boolean =>
  kind === 'word' && fields.get(text)?.kind === 'boolean';

function somewhere(text: string, fields: Fields): string {
  const wanted = quoted(text);
  const choices = [...fields.values()].filter(({ kind }) => kind === 'choice').map(({ path }) => `${path}~${wanted}`);
  const texts = [...fields.values()].some(({ kind }) => kind === 'text') ? [wanted] : [];
  const tests = [...texts, ...choices];
  return tests.length === 1 ? (tests[0] ?? '') : `(${tests.join(' or ')})`;
}
