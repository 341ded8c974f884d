// Makes rows of the table `traffic` of the counters of the overlay, each from the difference to the one before.
import type { RowOf } from '../../measure/tables.ts';
import { Drop } from '../../protocol/overlay/links/drops.ts';
import type { Servent } from '../../protocol/servent.ts';

/** Without any change a row is written this often, so that the time of connections is known. */
const IDLE_MS = 10_000;

type Traffic = RowOf<'traffic'>;
type State = Pick<Traffic, 'mode' | 'leaves' | 'ultrapeers'>;
type Counters = Omit<Traffic, 'span_ms' | keyof State>;

export class TrafficRows {
  readonly #servent: Servent;
  #counters: Counters;
  #state: State;
  #at: number;

  constructor(servent: Servent, now: number) {
    this.#servent = servent;
    this.#counters = countersOf(servent);
    this.#state = stateOf(servent);
    this.#at = now;
  }

  /** Null when nothing has changed lately; `last`: a row in any case. `now`: monotonic milliseconds. */
  next(now: number, last: boolean): Traffic | null {
    const before = this.#counters;
    const counters = countersOf(this.#servent);
    const state = stateOf(this.#servent);
    const names = Object.keys(counters) as (keyof Counters)[];
    const { mode, leaves, ultrapeers } = this.#state;
    const same = mode === state.mode && leaves === state.leaves && ultrapeers === state.ultrapeers;
    const idle = same && names.every(name => counters[name] === before[name]);
    if (idle && !last && now - this.#at < IDLE_MS) return null;
    const differences = Object.fromEntries(names.map(name => [name, counters[name] - before[name]]));
    // the state that held since the row before: a change of it ends the span
    const row: Traffic = { span_ms: Math.round(now - this.#at), ...this.#state, ...counters, ...differences };
    this.#counters = counters;
    this.#state = state;
    this.#at = now;
    return row;
  }
}

function stateOf({ overlay, role }: Servent): State {
  return { mode: role.role, ...overlay.counts };
}

function countersOf({ overlay }: Servent): Counters {
  const { counters, drops } = overlay;
  return {
    queries_in: counters.queriesIn,
    duplicates_in: drops.of(Drop.Duplicate) + drops.of(Drop.DuplicateSameLink),
    hits_in: counters.hitsIn,
    pings_in: counters.pingsIn,
    pongs_in: counters.pongsIn,
    pushes_in: counters.pushesIn,
    dropped_in: drops.total,
    bytes_in: counters.bytesIn,
    bytes_out: overlay.bytesOut,
  };
}
