// Counts dropped descriptors and closes a link when a peer sends too many bad ones; a single one never does.
import { ByeCode } from '../../wire/bye.ts';
import { Drop, Drops } from './drops.ts';
import type { Link } from './link.ts';

interface Patience {
  /** Number of drops that never close the link. */
  readonly count: number;
  /** Share of the frames received that never closes the link either: a neighbour also relays what others did wrong. */
  readonly share: number;
  readonly code: number;
  readonly text: string;
}

const INVALID_PAYLOAD = 411;
const UNKNOWN_MESSAGES = 404;

/**
 * Counts and codes after gtk-gnutella. A reason without a row never closes a link; QueryTooSoonOfAddress has none, because the link
 * itself kept to its rate.
 */
const PATIENCE: ReadonlyMap<Drop, Patience> = new Map<Drop, Patience>([
  // gtk-gnutella tolerates 5 and 1.5 %; but peers with X-Ext-Probes rightly repeat themselves, and it costs us little
  [Drop.DuplicateSameLink, { count: 100, share: 0.25, code: ByeCode.Duplicates, text: 'Sent descriptors twice' }],
  [Drop.TtlZero, { count: 10, share: 0.05, code: ByeCode.TtlZero, text: 'Sent descriptors with TTL 0' }],
  [Drop.TtlTooHigh, { count: 10, share: 0.1, code: ByeCode.HighTtl, text: 'Sent descriptors with a high TTL' }],
  [Drop.SizeWrong, { count: 10, share: 0.05, code: INVALID_PAYLOAD, text: 'Payloads of wrong size' }],
  [Drop.Malformed, { count: 10, share: 0.05, code: INVALID_PAYLOAD, text: 'Malformed payloads' }],
  [Drop.UnknownType, { count: 50, share: 0.1, code: UNKNOWN_MESSAGES, text: 'Unknown descriptors' }],
  [Drop.NeverRouted, { count: 50, share: 0.1, code: ByeCode.TooManyErrors, text: 'Routed what is never routed' }],
  [Drop.LeafRelayed, { count: 5, share: 0, code: ByeCode.LeafRelaying, text: 'Leaves do not relay' }],
  [Drop.PingTooSoon, { count: 1000, share: 0.5, code: ByeCode.Excessive, text: 'Too many pings' }],
  [Drop.QueryTooSoon, { count: 1000, share: 0.5, code: ByeCode.Excessive, text: 'Too many queries' }],
  [Drop.PushTooSoon, { count: 100, share: 0.1, code: ByeCode.Excessive, text: 'Too many pushes' }],
]);

export class Discipline {
  /** Of all links there ever were. */
  readonly drops = new Drops();
  readonly #bye: (link: Link, code: number, text: string) => void;

  constructor(bye: (link: Link, code: number, text: string) => void) {
    this.#bye = bye;
  }

  drop(link: Link, reason: Drop): void {
    this.drops.count(reason);
    link.drops ??= new Drops();
    link.drops.count(reason);
    if (reason === Drop.Duplicate) return; // by far the most frequent, and nobody's fault
    if (reason === Drop.PingTooSoon && link.role === 'legacy') return; // flat networks flood pings: they are not its own
    if (reason === Drop.TtlZero && link.role !== 'leaf') return; // a relay receives the last step of others' queries: no fault of its own
    const patience = PATIENCE.get(reason);
    if (patience === undefined) return;
    const times = link.drops.of(reason);
    if (times > patience.count && times > patience.share * link.framesIn) this.#bye(link, patience.code, patience.text);
  }
}
