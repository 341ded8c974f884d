// Decides by gitignore patterns which files and folders a shared folder leaves out. Pure.
import ignore, { type Ignore } from 'ignore';
import type { Kind } from './kinds.ts';
import type { Secret } from './never-shared.ts';

/** UTF-16 units of one pattern. */
const PATTERN_LENGTH_MAX = 1000;
/** Wildcards `**` of one pattern: each multiplies the time that a deep path takes by its depth. */
const ANY_FOLDERS_MAX = 3;
/** Paths after which the matcher's memory of earlier paths is thrown away: it keeps every path that it was asked for. */
const REMEMBERED_MAX = 10_000;

/** One line of a gitignore file that excludes something, or with `!` takes it back in. */
export const excludePattern: Kind<string> = {
  check: given =>
    typeof given === 'string' && isPattern(given) ? { ok: true, value: given } : { ok: false, item: null },
  expected: `a gitignore pattern such as *.iso, /drafts/ or !keep.iso, with at most ${ANY_FOLDERS_MAX} times **`,
  fromText: text => text,
};

function isPattern(text: string): boolean {
  if (text.length > PATTERN_LENGTH_MAX || /[\0\r\n]/.test(text) || text.startsWith('#')) return false;
  if (text.split('**').length - 1 > ANY_FOLDERS_MAX) return false;
  const bare = text.replace(/^!/, '');
  const isCutShort = (/\\+$/.exec(bare)?.[0].length ?? 0) % 2 === 1; // `a\ ` is the name with a blank at its end
  return bare.trim().replaceAll('/', '') !== '' && !isCutShort && hasWholeBrackets(bare) && matches(bare);
}

/** Refused: git takes a `[` without its `]` as a pattern that matches nothing, which is never meant. */
function hasWholeBrackets(pattern: string): boolean {
  const closed = pattern.replace(/\\./g, '').replace(/\[[!^]?\]?(?:\[:\w+:\]|[^\]])*\]/g, '');
  return !closed.includes('[');
}

/** The matcher makes its regular expressions when they are needed first: now is when a fault can be told. */
function matches(pattern: string): boolean {
  try {
    ignore().add([pattern]).ignores('name');
    return true;
  } catch {
    return false;
  }
}

export class Exclusion {
  readonly #rules: Ignore;
  readonly #isEmpty: boolean;
  #matcher: Ignore;
  #asked = 0;

  /** Patterns that were checked. A later one wins over an earlier one; capitals and the Unicode form do not matter. */
  constructor(patterns: readonly string[]) {
    this.#isEmpty = patterns.length === 0;
    this.#rules = ignore().add(patterns.map(composed));
    this.#matcher = ignore().add(this.#rules);
  }

  /** Why something is left out, or null. `below` is its path below the shared folder, with `/` between names. */
  ruleFor(below: string, kind: 'file' | 'folder'): Secret | null {
    if (this.#isEmpty || !ignore.isPathValid(below)) return null;
    if (++this.#asked % REMEMBERED_MAX === 0) this.#matcher = ignore().add(this.#rules);
    const { ignored, rule } = this.#matcher.test(composed(kind === 'folder' ? `${below}/` : below));
    if (!ignored || rule === undefined) return null;
    return { rule: `exclude: ${rule.pattern}`, reason: `excluded by ${rule.pattern}` };
  }
}

/** The form in which `é` is one character: macOS and archives made there write names with two. */
const composed = (text: string): string => text.normalize('NFC');
