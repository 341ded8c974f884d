// Writes values in Thrift's compact protocol, which the heads of Parquet's pages and its footer are in.

/** A value and its type there. */
export interface ThriftValue {
  readonly type: number;
  readonly bytes: readonly number[];
}

const I32 = 5;
const I64 = 6;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;
/** Sizes and steps from here on take bytes of their own. */
const SHORT = 15;

/** An unsigned integer up to 2^53, seven bits a byte. */
export function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

/** Integers that are not negative. */
export const i32 = (value: number): ThriftValue => ({ type: I32, bytes: varint(2 * value) });
export const i64 = (value: number): ThriftValue => ({ type: I64, bytes: varint(2 * value) });

export function text(value: string): ThriftValue {
  const bytes = Buffer.from(value);
  return { type: BINARY, bytes: [...varint(bytes.length), ...bytes] };
}

/** Values of one type, at least one. */
export function list(values: readonly ThriftValue[]): ThriftValue {
  const type = values[0]?.type ?? STRUCT;
  const head = values.length < SHORT ? [(values.length << 4) | type] : [(SHORT << 4) | type, ...varint(values.length)];
  return { type: LIST, bytes: [...head, ...values.flatMap(({ bytes }) => bytes)] };
}

/** Fields by their numbers, which increase by less than 16. */
export function struct(fields: Readonly<Record<number, ThriftValue>>): ThriftValue {
  const bytes: number[] = [];
  let before = 0;
  for (const [key, { type, bytes: value }] of Object.entries(fields)) {
    const id = Number(key);
    bytes.push(((id - before) << 4) | type, ...value);
    before = id;
  }
  return { type: STRUCT, bytes: [...bytes, 0] };
}
