// Divides bytes among claims: by weight, no claim gets more than it can use, and what one leaves goes to the others.

/** Something that can use bytes: a flow, a group of flows, a part, a direction. */
export interface Claim {
  /** Most bytes that it can use now. */
  cap: number;
  weight: number;
  /** What divide() gives it. */
  granted: number;
  /** What it got by weight when there was not enough for all; the claim with the least goes first. */
  served: number;
}

/** A claim that gets anything gets at least this, where it can use it: many small writes would cost more than they carry. */
export const QUANTUM_BYTES = 2048;

const byNeed = (a: Claim, b: Claim): number => a.cap * b.weight - b.cap * a.weight;
const byServed = (a: Claim, b: Claim): number => a.served - b.served;

/**
 * Sets `granted` of each claim; their sum is `amount`, or the sum of the caps if that is less. `since`: what it returned the last time,
 * 0 at first: a claim that wanted nothing for a while saves nothing up.
 */
export function divide(amount: number, claims: readonly Claim[], since: number): number {
  let wanted = 0;
  let weight = 0;
  for (const claim of claims) {
    wanted += claim.cap;
    weight += claim.weight;
    claim.granted = claim.cap;
  }
  if (wanted <= amount) return since;
  let left = amount;
  // Those that need no more than their share get it; their rest raises the share of the others.
  const sorted = [...claims].sort(byNeed);
  let content = 0;
  for (const claim of sorted) {
    if (claim.cap > Math.floor((left * claim.weight) / weight)) break;
    left -= claim.cap;
    weight -= claim.weight;
    content++;
  }
  const hungry = sorted.slice(content);
  for (const claim of hungry) claim.served = Math.max(claim.served, since);
  hungry.sort(byServed);
  const least = hungry[0]?.served ?? since;
  const perWeight = left / weight;
  for (const claim of hungry) {
    claim.granted = Math.min(claim.cap, left, Math.max(QUANTUM_BYTES, Math.floor(perWeight * claim.weight)));
    left -= claim.granted;
  }
  for (const claim of hungry) {
    const more = Math.min(claim.cap - claim.granted, left);
    claim.granted += more;
    left -= more;
    claim.served += claim.granted / claim.weight;
  }
  return least;
}
