// Globs without a regular expression: `*` is any run of characters, `?` any one; no case, no classes, nothing to blow up.

const TEXT_CHARACTERS_MAX = 4096;

/**
 * Whole texts only: `*moon*` looks for a part. A star that was passed is never gone back to once another one has matched, so the work is at
 * most pattern times text.
 */
export function globMatcher(pattern: string): (value: unknown) => boolean {
  const wanted = pattern.toLowerCase().replace(/\*+/g, '*');
  return value => typeof value === 'string' && matches(wanted, value.slice(0, TEXT_CHARACTERS_MAX).toLowerCase());
}

function matches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let starText = 0;
  while (t < text.length) {
    const wanted = pattern[p];
    if (wanted === '*') {
      star = p++;
      starText = t;
    } else if (wanted === '?' || (wanted !== undefined && wanted === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++starText;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
