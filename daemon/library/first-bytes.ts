// Recognises private files, such as keys, by their first bytes. Pure; runs in the hash threads.
import { createHash } from 'node:crypto';

/** Number of bytes examined for every rule. */
export const HEAD_BYTES = 16 * 1024;
/** Files up to this size are looked at whole for texts with `around`. */
const WHOLE_BYTES_MAX = 1024 * 1024;
/** Bytes on either side of such a mark in which its text stands. */
const AROUND_BYTES = 100;

/** How many bytes at the beginning of a file of that size are to be judged. */
export const bytesToJudge = (size: number): number => (size <= WHOLE_BYTES_MAX ? size : HEAD_BYTES);

/** Has either `text`, a regular expression over the bytes as Latin-1, or `hex`, bytes at offset `at` with `??` for any byte. */
export interface BytesRule {
  readonly rule: string;
  readonly text?: string | undefined;
  readonly around?: string | undefined;
  readonly hex?: string | undefined;
  readonly at?: number | undefined;
}

interface Signature {
  readonly rule: string;
  readonly at: number;
  /** Null matches any byte. */
  readonly bytes: readonly (number | null)[];
}

export class FirstBytes {
  /** Hash of the rules. A file checked under another stamp is checked again. */
  readonly stamp: string;
  readonly #signatures: Signature[];
  readonly #texts: { rule: string; pattern: RegExp }[];
  /** All text rules in one expression, for speed: hardly any file matches. */
  readonly #atStart: RegExp;
  readonly #anywhere: RegExp;
  readonly #marks: { mark: string; rule: string; pattern: RegExp }[];

  constructor(rules: readonly BytesRule[]) {
    this.stamp = createHash('sha1').update(JSON.stringify(rules)).digest('hex').slice(0, 8);
    this.#signatures = rules.flatMap(({ rule, hex, at = 0 }) =>
      hex === undefined ? [] : [{ rule, at, bytes: parsed(hex) }],
    );
    const texts = rules.flatMap(({ rule, text }) => (text === undefined ? [] : [{ rule, text }]));
    this.#texts = texts.map(({ rule, text }) => ({ rule, pattern: new RegExp(text) }));
    this.#marks = rules.flatMap(({ rule, text, around }) =>
      text === undefined || around === undefined ? [] : [{ mark: around, rule, pattern: new RegExp(text) }],
    );
    const oneOf = (of: typeof texts) => new RegExp(of.map(({ text }) => `(?:${text})`).join('|') || '(?!)');
    this.#atStart = oneOf(texts.filter(({ text }) => text.startsWith('^')));
    this.#anywhere = oneOf(texts.filter(({ text }) => !text.startsWith('^')));
  }

  /** The rule that excludes a file; null: none. `head` has as many of its bytes as bytesToJudge says, or fewer at its end. */
  ruleFor(head: Buffer): string | null {
    return this.#ruleOfHead(head) ?? this.#ruleOfRest(head);
  }

  #ruleOfHead(head: Buffer): string | null {
    for (const { rule, at, bytes } of this.#signatures)
      if (bytes.every((byte, i) => (byte === null ? at + i < head.length : head[at + i] === byte))) return rule;
    const text = textOf(head.subarray(0, HEAD_BYTES));
    if (!this.#atStart.test(text) && !this.#anywhere.test(text)) return null;
    return this.#texts.find(({ pattern }) => pattern.test(text))?.rule ?? null;
  }

  /** What begins in the head and what follows it: the head itself is judged. */
  #ruleOfRest(bytes: Buffer): string | null {
    // Music, pictures and archives have a NUL soon: hardly any of their time is spent here.
    if (bytes.length <= HEAD_BYTES || bytes.subarray(0, HEAD_BYTES).includes(0)) return null;
    for (const { mark, rule, pattern } of this.#marks) {
      let at = bytes.indexOf(mark, HEAD_BYTES - AROUND_BYTES, 'latin1');
      for (; at >= 0; at = bytes.indexOf(mark, at + mark.length, 'latin1'))
        if (pattern.test(bytes.toString('latin1', at - AROUND_BYTES, at + AROUND_BYTES))) return rule;
    }
    return null;
  }
}

const WIDE = /^(?:\xff\xfe|\xfe\xff|[^\0]\0[^\0]\0|\0[^\0]\0[^\0])/;

/** Decodes as Latin-1, or as UTF-16 of either byte order with or without a mark. The rules search for ASCII. */
function textOf(head: Buffer): string {
  const text = head.toString('latin1');
  return WIDE.test(text) ? text.replace(/^(?:\xff\xfe|\xfe\xff)|\0/g, '') : text;
}

function parsed(hex: string): (number | null)[] {
  return (hex.match(/../g) ?? []).map(pair => (pair === '??' ? null : Number.parseInt(pair, 16)));
}
