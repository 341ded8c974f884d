// Size classes of files: each has its share of the slots, so that small files do not wait behind large ones.

const LARGEST_BYTES = 600 * 2 ** 20;

/** From 1 for the largest files, over 600 MiB, to `classes`; each holds files half as large as the one before, the last all others. */
export function sizeClassOf(bytes: number, classes: number): number {
  let sizeClass = 1;
  for (let over = LARGEST_BYTES; sizeClass < classes && bytes <= over; over /= 2) sizeClass++;
  return sizeClass;
}
