// Parses filters typed after `/`: the filter language of the API, where quotes and `and` may be left out. Pure.
import type { Fields } from '../api/fields.ts';
import { FilterError, parseFilter } from '../api/filter.ts';
import { type Token, Tokens } from '../api/filter-tokens.ts';
import { readerOf } from '../api/reader.ts';

export interface Matcher<T> {
  readonly accepts: (row: T) => boolean;
  /** Message for an invalid filter, which accepts every row. */
  readonly fault: string | null;
}

/** Compiles a filter; `shown` returns values of computed fields. */
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
 * Translates to the language of the API: `moon state=paused !live` becomes `("moon" or …) and state=paused and not ("live" or …)`.
 * A bare word matches any text or choice field. Throws FilterError.
 */
export function filterText(typed: string, fields: Fields): string {
  const tokens = tokensOf(typed);
  const parts: string[] = [];
  let joined = true; // no `and` is needed before the next part
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
      parts.push(text); // the parser reports the error
      i++;
    }
  }
  return parts.join(' ');
}

/** Splits a filter; `!word` means `not word`, elsewhere `!` is part of an operator. */
function tokensOf(typed: string): Token[] {
  const text = typed.replace(/(^|[\s(])!(?=[^\s=~)])/g, '$1 not ');
  const reader = new Tokens(text, (at, detail) => new FilterError(at, detail));
  const tokens: Token[] = [];
  for (let token = reader.take(); token.kind !== 'end'; token = reader.take()) tokens.push(token);
  return tokens;
}

const isOperator = (token: Token | undefined): boolean =>
  token?.kind === 'operator' || (token?.kind === 'word' && /^(like|in)$/i.test(token.text));

/** Number of tokens of a test: field, operator and value, or a list in parentheses after `in`. */
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
