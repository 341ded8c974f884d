// Splits a filter into tokens: names and bare values, quoted texts, operators, parentheses.

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | '~' | '!~' | 'like' | 'in';

export interface Token {
  readonly kind: 'word' | 'quoted' | 'operator' | 'mark' | 'end';
  readonly text: string;
  /** Position of its first character, from 1. */
  readonly at: number;
}

const KEYWORDS = new Set(['and', 'or', 'not']);
const WORD_OPERATORS = new Set(['like', 'in']);
// Sticky expressions of one repeated class each, so none can backtrack.
const BLANK = /\s*/y;
const OPERATOR = /!=|!~|<=|>=|[=<>~]/y;
const WORD = /[^\s"'()=!<>~,]+/y;

export class Tokens {
  readonly #text: string;
  readonly #fault: (at: number, detail: string) => Error;
  #at = 0;
  #next: Token;

  constructor(text: string, fault: (at: number, detail: string) => Error) {
    this.#text = text;
    this.#fault = fault;
    this.#next = this.#read();
  }

  get next(): Token {
    return this.#next;
  }

  take(): Token {
    const token = this.#next;
    if (token.kind !== 'end') this.#next = this.#read();
    return token;
  }

  /** Takes `and`, `or` or `not`, ignoring case. */
  takeWord(word: string): boolean {
    const { kind, text } = this.#next;
    const taken = kind === 'word' && text.toLowerCase() === word && KEYWORDS.has(word);
    if (taken) this.take();
    return taken;
  }

  takeMark(mark: '(' | ')' | ','): boolean {
    const taken = this.#next.kind === 'mark' && this.#next.text === mark;
    if (taken) this.take();
    return taken;
  }

  takeOperator(): Operator | null {
    const { kind, text } = this.#next;
    const word = text.toLowerCase();
    if (kind !== 'operator' && !(kind === 'word' && WORD_OPERATORS.has(word))) return null;
    this.take();
    return word as Operator;
  }

  #read(): Token {
    this.#match(BLANK);
    const start = this.#at;
    const token = (kind: Token['kind'], text: string): Token => ({ kind, text, at: start + 1 });
    const first = this.#text[start];
    if (first === undefined) return token('end', '');
    if (first === '(' || first === ')' || first === ',') {
      this.#at++;
      return token('mark', first);
    }
    if (first === '"' || first === "'") return token('quoted', this.#quoted(first));
    const operator = this.#match(OPERATOR);
    if (operator !== '') return token('operator', operator);
    const word = this.#match(WORD);
    if (word === '') throw this.#fault(start + 1, `unexpected ${JSON.stringify(first)}`);
    return token('word', word);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const matched = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += matched.length;
    return matched;
  }

  /** Reads a quoted text; a backslash escapes the next character. */
  #quoted(quote: string): string {
    const start = this.#at++;
    let text = '';
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at] ?? '';
      if (char === quote) {
        this.#at++;
        return text;
      }
      if (char === '\\') this.#at++;
      text += this.#text[this.#at] ?? '';
    }
    throw this.#fault(start + 1, `the closing ${quote} is missing`);
  }
}
