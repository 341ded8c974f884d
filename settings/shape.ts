// Checks of plain data that a daemon reads at each start: loading a library of schemas would take longer than the rest of its settings.

/** Whether a value has this shape. */
export type Shape = (value: unknown) => boolean;

export const text: Shape = value => typeof value === 'string' && value !== '';

export const textLike =
  (pattern: RegExp): Shape =>
  value =>
    typeof value === 'string' && pattern.test(value);

/** So many characters, also none. */
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

/** An object with these fields and no others. */
export const record = (fields: Readonly<Record<string, Shape>>): Shape => {
  const shapes = Object.entries(fields);
  return value =>
    typeof value === 'object' &&
    value !== null &&
    Object.keys(value).every(name => Object.hasOwn(fields, name)) &&
    shapes.every(([name, shape]) => shape((value as Record<string, unknown>)[name]));
};
