// Checks the shape of plain data at the start of the daemon, without the loading time of zod.

/** Whether a value has this shape. */
export type Shape = (value: unknown) => boolean;

export const text: Shape = value => typeof value === 'string' && value !== '';

export const textLike =
  (pattern: RegExp): Shape =>
  value =>
    typeof value === 'string' && pattern.test(value);

/** Texts of up to `max` characters. */
export const textUpTo =
  (max: number): Shape =>
  value =>
    typeof value === 'string' && value.length <= max;

export const numberFrom =
  (min: number, max: number): Shape =>
  value =>
    typeof value === 'number' && min <= value && value <= max;

export const oneIn =
  (values: ReadonlySet<unknown>): Shape =>
  value =>
    values.has(value);

export const listOf =
  (item: Shape, min = 0, max = Number.POSITIVE_INFINITY): Shape =>
  value =>
    Array.isArray(value) && min <= value.length && value.length <= max && value.every(item);

export const leftOutOr =
  (shape: Shape): Shape =>
  value =>
    value === undefined || shape(value);

/** Objects with exactly these fields. */
export const record = (fields: Readonly<Record<string, Shape>>): Shape => {
  const shapes = Object.entries(fields);
  return value =>
    typeof value === 'object' &&
    value !== null &&
    Object.keys(value).every(name => Object.hasOwn(fields, name)) &&
    shapes.every(([name, shape]) => shape((value as Record<string, unknown>)[name]));
};
