// Numbers that go round on the wire, made whole again by the nearest one to a number that is known.

/** The number nearest to `near` whose low bits are `low`; `span` is 2 to the power of their count. May be negative. */
export function nearest(low: number, near: number, span: number): number {
  const difference = (((low - near) % span) + span) % span;
  return near + (difference >= span / 2 ? difference - span : difference);
}

export const SPAN_16 = 0x1_0000;
export const SPAN_32 = 0x1_0000_0000;

/** The low 16 or 32 bits, as they go out. */
export function low(number: number, span: number): number {
  return number % span;
}
