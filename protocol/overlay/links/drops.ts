// Why descriptors were not processed or not passed on. Counters, because a busy ultrapeer drops thousands a second.

/** Reasons, as indexes into a Drops. In order: DROP_NAMES goes by it. */
export const Drop = {
  /** Seen before, from another link: the flood's ordinary echo. */
  Duplicate: 0,
  /** Seen before, from this very link: the peer repeats itself. */
  DuplicateSameLink: 1,
  /** A push with TTL 0 that is not its target's neighbour's, or anything with TTL 0 of a leaf. */
  TtlZero: 2,
  /** hops + TTL over the hard limit. */
  TtlTooHigh: 3,
  /** A hit that ran out of TTL on its way back. */
  HitExpired: 4,
  /** A push over the hop limit: the push routes have a loop. */
  PushExpired: 5,
  /** A hit for a query that never passed here, or too long ago. */
  HitNoRoute: 6,
  /** For a search of ours that is over. */
  HitUnwanted: 7,
  /** The link that a hit belongs to is gone. */
  HitLinkGone: 8,
  /** A hit from the link to which it should be routed. */
  HitBackwards: 9,
  PushNoRoute: 10,
  /** Payload outside the bounds of its type. */
  SizeWrong: 11,
  /** Payload that does not parse. */
  Malformed: 12,
  UnknownType: 13,
  /** A type that never travels came with hops or TTL. */
  NeverRouted: 14,
  /** A leaf relayed a descriptor. */
  LeafRelayed: 15,
  /** Query without the flags mark, when policy wants it. */
  Unflagged: 16,
  PingTooSoon: 17,
  PushTooSoon: 18,
  /** A pong that no ping of ours had asked for. */
  PongUnasked: 19,
  /** A pong with an unusable address. */
  PongUnusable: 20,
  /** DHT and HSEP: known types, unsupported. */
  NotSpoken: 21,
  /** Arrived after a Bye or while the link was closing. */
  AfterClose: 22,
  /** More queries than the link may send: see QueryRates. */
  QueryTooSoon: 23,
  /** The same query again within seconds, under another GUID. */
  QueryRepeated: 24,
  /** Neither a text nor anything else to look for. */
  QueryEmpty: 25,
  /** A leaf's query whose hits would go by UDP to somebody else. */
  ReturnAddress: 26,
  /** Our own pong, which neighbours tell one another, come back to us. */
  PongOwn: 27,
  /** More queries than all leaves at one address may send. */
  QueryTooSoonOfAddress: 28,
} as const;
export type Drop = (typeof Drop)[keyof typeof Drop];

export const DROP_REASONS = 29;

/** Snake-case names for metrics and the API, by index. */
export const DROP_NAMES: readonly string[] = Object.keys(Drop).map(name =>
  name.replace(/(?!^)[A-Z]/g, letter => `_${letter}`).toLowerCase(),
);

export class Drops {
  readonly #counts: number[] = new Array<number>(DROP_REASONS).fill(0);
  total = 0;

  count(reason: Drop): void {
    this.#counts[reason] = (this.#counts[reason] ?? 0) + 1;
    this.total++;
  }

  of(reason: Drop): number {
    return this.#counts[reason] ?? 0;
  }

  /** All but our own pongs. */
  get lost(): number {
    return this.total - this.of(Drop.PongOwn);
  }

  /** Reasons that occurred, by name. */
  toRecord(): Record<string, number> {
    const record: Record<string, number> = {};
    this.#counts.forEach((count, reason) => {
      const name = DROP_NAMES[reason];
      if (count > 0 && name !== undefined) record[name] = count;
    });
    return record;
  }
}
