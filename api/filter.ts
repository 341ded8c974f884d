// Parses and evaluates filters of lists: `size>1MiB and name~"moon" and not state=paused`.
import type { Field, Fields } from './fields.ts';
import { type Operator, Tokens } from './filter-tokens.ts';
import { globMatcher, TEXT_CHARACTERS_MAX } from './glob.ts';
import type { Reader } from './reader.ts';

export const FILTER_CHARACTERS_MAX = 1000;
const DEPTH_MAX = 16;
const TESTS_MAX = 64;
/** Longest text to search for: up to this V8's Boyer-Moore tables keep a search linear. */
const SOUGHT_CHARACTERS_MAX = 250;

/** Syntax error in a filter; `at` is the position of the character, from 1. */
export class FilterError extends Error {
  readonly at: number;

  constructor(at: number, detail: string) {
    super(`at character ${at}: ${detail}`);
    this.name = 'FilterError';
    this.at = at;
  }
}

type Accepts<R> = (row: R) => boolean;

/** Node of the parsed filter; rows are read through a Reader. */
type Node =
  | { readonly kind: 'all' | 'any'; readonly of: readonly Node[] }
  | { readonly kind: 'not'; readonly of: Node }
  | { readonly kind: 'test'; readonly path: string; readonly holds: (value: unknown) => boolean }
  | { readonly kind: 'somewhere'; readonly paths: readonly string[]; readonly holds: (value: unknown) => boolean };

export class Filter {
  readonly text: string;
  /** Whether it has times relative to now, such as `-2h`. */
  readonly isRelative: boolean;
  readonly #root: Node;

  constructor(text: string, root: Node, isRelative: boolean) {
    this.text = text;
    this.isRelative = isRelative;
    this.#root = root;
  }

  /** Paths of the fields it reads; may repeat. */
  get paths(): readonly string[] {
    return pathsOf(this.#root);
  }

  compile<R>(reader: Reader<R>): Accepts<R> {
    return compile(this.#root, reader);
  }
}

function pathsOf(node: Node): readonly string[] {
  switch (node.kind) {
    case 'test':
      return [node.path];
    case 'somewhere':
      return node.paths;
    case 'not':
      return pathsOf(node.of);
    default:
      return node.of.flatMap(pathsOf);
  }
}

function compile<R>(node: Node, reader: Reader<R>): Accepts<R> {
  if (node.kind === 'not') {
    const inner = compile(node.of, reader);
    return row => !inner(row);
  }
  if (node.kind === 'test') {
    const read = reader(node.path);
    const { holds } = node;
    return row => holds(read(row));
  }
  if (node.kind === 'somewhere') {
    const reads = node.paths.map(path => reader(path));
    return row => reads.some(read => node.holds(read(row)));
  }
  const parts = node.of.map(part => compile(part, reader));
  return node.kind === 'all' ? row => parts.every(part => part(row)) : row => parts.some(part => part(row));
}

/** Parses a filter; times such as `-2h` are relative to `nowMs`. Throws FilterError. */
export function parseFilter(text: string, fields: Fields, nowMs: number): Filter {
  if (text.length > FILTER_CHARACTERS_MAX)
    throw new FilterError(FILTER_CHARACTERS_MAX, `a filter has at most ${FILTER_CHARACTERS_MAX} characters`);
  const parser = new Parser(text, fields, nowMs);
  return new Filter(text, parser.parse(), parser.isRelative);
}

class Parser {
  readonly #tokens: Tokens;
  readonly #fields: Fields;
  readonly #nowMs: number;
  #depth = 0;
  #tests = 0;
  /** Whether a time is relative to now. */
  isRelative = false;

  constructor(text: string, fields: Fields, nowMs: number) {
    this.#tokens = new Tokens(text, (at, detail) => new FilterError(at, detail));
    this.#fields = fields;
    this.#nowMs = nowMs;
  }

  parse(): Node {
    const root = this.#or();
    const { next } = this.#tokens;
    if (next.kind !== 'end') throw new FilterError(next.at, 'expected `and`, `or`, or the end');
    return root;
  }

  #or(): Node {
    return this.#chain('any', 'or', () => this.#chain('all', 'and', () => this.#not()));
  }

  #chain(kind: 'any' | 'all', word: string, part: () => Node): Node {
    const first = part();
    if (!this.#tokens.takeWord(word)) return first;
    const parts = [first];
    do parts.push(part());
    while (this.#tokens.takeWord(word));
    return { kind, of: parts };
  }

  #not(): Node {
    const { at } = this.#tokens.next;
    if (++this.#depth > DEPTH_MAX) throw new FilterError(at, `at most ${DEPTH_MAX} levels of \`(\` and \`not\``);
    const node = this.#inner();
    this.#depth--;
    return node;
  }

  #inner(): Node {
    if (this.#tokens.takeWord('not')) return { kind: 'not', of: this.#not() };
    const opened = this.#tokens.next;
    if (!this.#tokens.takeMark('(')) return this.#test();
    const node = this.#or();
    if (!this.#tokens.takeMark(')'))
      throw new FilterError(this.#tokens.next.at, `expected \`)\` for the \`(\` at ${opened.at}`);
    return node;
  }

  #test(): Node {
    const token = this.#tokens.take();
    if (++this.#tests > TESTS_MAX) throw new FilterError(token.at, `at most ${TESTS_MAX} tests`);
    if (token.kind === 'quoted') return this.#somewhere(token.text, token.at);
    if (token.kind !== 'word') throw new FilterError(token.at, 'expected a field, `not`, `(` or a text in quotes');
    const field = this.#field(token.text, token.at);
    const operator = this.#tokens.takeOperator();
    if (operator === null) {
      if (field.kind === 'boolean')
        return { kind: 'test', path: field.path, holds: testOf(field, value => value === true) };
      throw new FilterError(this.#tokens.next.at, `expected = != < <= > >= ~ !~ like or in after ${field.path}`);
    }
    if (operator === 'in') return this.#oneOf(field);
    return { kind: 'test', path: field.path, holds: this.#holds(field, operator) };
  }

  /** Test of a text without a field: it may be in any text field. */
  #somewhere(text: string, at: number): Node {
    const paths = [...this.#fields.values()].filter(({ kind }) => kind === 'text').map(({ path }) => path);
    if (paths.length === 0) throw new FilterError(at, 'this list has no text fields');
    const has = contains(sought(text, detail => new FilterError(at, detail)));
    return { kind: 'somewhere', paths, holds: value => (Array.isArray(value) ? value.some(has) : has(value)) };
  }

  #field(path: string, at: number): Field {
    const field = this.#fields.get(path);
    if (field !== undefined) return field;
    throw new FilterError(
      at,
      `unknown field ${path}; fields are ${[...this.#fields.keys()].join(', ')} (put a text to search for in quotes)`,
    );
  }

  #oneOf(field: Field): Node {
    if (!this.#tokens.takeMark('(')) throw new FilterError(this.#tokens.next.at, 'expected `(` after `in`');
    const tests = [this.#holds(field, '=')];
    while (this.#tokens.takeMark(',')) {
      if (++this.#tests > TESTS_MAX) throw new FilterError(this.#tokens.next.at, `at most ${TESTS_MAX} tests`);
      tests.push(this.#holds(field, '='));
    }
    if (!this.#tokens.takeMark(')')) throw new FilterError(this.#tokens.next.at, 'expected `,` or `)`');
    return { kind: 'test', path: field.path, holds: value => tests.some(holds => holds(value)) };
  }

  #holds(field: Field, operator: Exclude<Operator, 'in'>): (value: unknown) => boolean {
    const { kind, text, at } = this.#tokens.take();
    if (kind !== 'word' && kind !== 'quoted') throw new FilterError(at, `expected a value for ${field.path}`);
    const refuse = (detail: string): FilterError => new FilterError(at, `${field.path}: ${detail}`);
    if (operator === '!=') return negated(this.#equals(field, text, kind === 'quoted', refuse));
    if (operator === '=') return this.#equals(field, text, kind === 'quoted', refuse);
    if (operator === '~' || operator === '!~' || operator === 'like') {
      if (field.kind !== 'text' && field.kind !== 'choice') throw refuse(`\`${operator}\` needs a text field`);
      const test = testOf(field, (operator === 'like' ? globMatcher : contains)(sought(text, refuse)));
      return operator === '!~' ? negated(test) : test;
    }
    if (field.kind === 'boolean' || field.kind === 'choice')
      throw refuse(`\`${operator}\` needs a number, time or text field`);
    return testOf(field, ordered(operator, this.#literal(field, text, refuse)));
  }

  #equals(field: Field, text: string, quoted: boolean, refuse: Refuse): (value: unknown) => boolean {
    if (text === 'null' && !quoted) return value => value === null || value === undefined;
    const wanted = this.#literal(field, text, refuse);
    return testOf(field, value => value === wanted);
  }

  #literal(field: Field, text: string, refuse: Refuse): Literal {
    switch (field.kind) {
      case 'number':
      case 'list':
        return numberOf(text, refuse);
      case 'time':
        this.isRelative ||= text.startsWith('-');
        return timeOf(text, this.#nowMs, refuse);
      case 'boolean':
        if (text !== 'true' && text !== 'false') throw refuse('expected true or false');
        return text === 'true';
      case 'choice':
        if (!field.choices.includes(text)) throw refuse(`expected one of ${field.choices.join(', ')}`);
        return text;
      case 'text':
        return text;
    }
  }
}

type Literal = string | number | boolean;
type Refuse = (detail: string) => FilterError;

/** Tests any value of a plural field; a list of objects has its length as value. */
function testOf(field: Field, test: (value: unknown) => boolean): (value: unknown) => boolean {
  if (field.kind === 'list') return value => test(Array.isArray(value) ? value.length : value);
  if (!field.plural) return test;
  return value => (Array.isArray(value) ? value.some(test) : test(value));
}

const negated =
  (test: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    !test(value);

function sought(text: string, refuse: Refuse): string {
  if (text.length > SOUGHT_CHARACTERS_MAX)
    throw refuse(`a text to search for has at most ${SOUGHT_CHARACTERS_MAX} characters`);
  return text;
}

function contains(text: string): (value: unknown) => boolean {
  const wanted = text.toLowerCase();
  return value => typeof value === 'string' && value.slice(0, TEXT_CHARACTERS_MAX).toLowerCase().includes(wanted);
}

/** Compares values; false for null. */
function ordered(operator: '<' | '<=' | '>' | '>=', wanted: Literal): (value: unknown) => boolean {
  const comparable = (value: unknown): value is Literal => typeof value === typeof wanted;
  if (operator === '<') return value => comparable(value) && value < wanted;
  if (operator === '<=') return value => comparable(value) && value <= wanted;
  if (operator === '>') return value => comparable(value) && value > wanted;
  return value => comparable(value) && value >= wanted;
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};

/** Reads `1500`, `1.5k` or `4MiB`. */
function numberOf(text: string, refuse: Refuse): number {
  const match = /^([+-]?\d{1,16}(?:\.\d{1,6})?)(?:([kmgt]i?)?b?)$/i.exec(text);
  const unit = UNITS[match?.[2]?.toLowerCase() ?? ''];
  if (match?.[1] === undefined || unit === undefined) throw refuse('expected a number such as 1500, 1.5k or 4MiB');
  return Number(match[1]) * unit;
}

const SPANS: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3, w: 604_800e3 };

/** Reads ISO 8601 or `-2h` (two hours ago) and returns the API's time format, which compares as text. */
function timeOf(text: string, nowMs: number, refuse: Refuse): string {
  const ago = /^-(\d{1,6})([smhdw])$/.exec(text);
  const span = SPANS[ago?.[2] ?? ''];
  const isDate = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/.test(text);
  const local = isDate && /T[^Z+-]*$/.test(text); // no zone given: UTC
  const at =
    ago?.[1] !== undefined && span !== undefined
      ? nowMs - Number(ago[1]) * span
      : Date.parse(isDate ? `${text}${local ? 'Z' : ''}` : '');
  if (!Number.isFinite(at))
    throw refuse('expected a time such as 2026-11-21, 2026-11-21T10:00:00Z or -2h (two hours ago)');
  return new Date(at).toISOString();
}
