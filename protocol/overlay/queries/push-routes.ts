// Which links lead to a servent, as its hits came over them: pushes go there.
import { GUID_BYTES } from '../../constants.ts';
import type { Random } from '../../ports.ts';
import { KeyedRateLimit, RateLimit } from '../../rate-limit.ts';
import { ownerKey } from '../../transfer/reaching/ask-budget.ts';
import type { Frame } from '../../wire/frame-reader.ts';
import type { OverlayCounters } from '../links/counters.ts';
import type { Link } from '../links/link.ts';
import type { Links } from '../links/links.ts';
import { Priority } from '../links/send-queue.ts';
import { RouteTable } from './route-table.ts';

/**
 * At most 32,768 servents a generation (2 MiB each, two of them), for half an hour to an hour. It grows without forgetting: what one link
 * names in a burst fits into it.
 */
const PUSH_ROUTES = { entriesMin: 32_768, entriesMax: 32_768, generationMs: 30 * 60_000 };
/** New servents that the hits of one link may name: an ultrapeer passes on those of many, 9,000 in half an hour after the first 2,000. */
const RELAYED_SERVENTS = new RateLimit(200, 2_000);
/** A leaf has but its own, and may have started anew. */
const LEAF_SERVENTS = new RateLimit(60_000, 8);

const ADDRESSES_MAX = 1_024;

export interface PushRoutesParts {
  readonly links: Links;
  readonly counters: OverlayCounters;
  readonly random: Random;
  readonly now: number;
}

export class PushRoutes {
  /** Servent GUID -> links that brought its hits. */
  readonly table: RouteTable;
  readonly #links: Links;
  readonly #counters: OverlayCounters;
  /** Of one address, whose links may come and go: each new one would have a share again. */
  readonly #ofAddress = new KeyedRateLimit(RELAYED_SERVENTS, ADDRESSES_MAX);

  constructor({ links, counters, random, now }: PushRoutesParts) {
    this.table = new RouteTable(PUSH_ROUTES, random, now);
    this.#links = links;
    this.#counters = counters;
  }

  /**
   * The link brought this hit. Forged GUIDs do not crowd out others: each link and each address has a share of new routes, and a second link to a servent is
   * added to the first, which stays as long as it is open.
   */
  learn(link: Link, { bytes, end }: Frame, now: number): void {
    const guidAt = end - GUID_BYTES;
    const { table } = this;
    if (table.find(bytes, guidAt)) {
      table.touch(now);
      const first = table.link;
      if (first === link.id) return;
      if (this.#links.get(first) === null) table.replace(link.id);
      else table.alternate = link.id;
      return;
    }
    const limit = link.role === 'leaf' ? LEAF_SERVENTS : RELAYED_SERVENTS;
    const due = limit.admit(link.serventDue, now);
    if (due < 0 || !this.#ofAddress.admit(ownerKey(link.endpoint), now)) {
      this.#counters.pushRoutesRefused++;
      return;
    }
    link.serventDue = due;
    table.add(link.id, 0, now);
  }

  /** To the neighbour of that servent GUID, else to the links that brought its hits. On how many it went out. */
  send(bytes: Buffer, guidAt: number, fromId: number, make: () => Buffer, now: number): number {
    const neighbour = this.#links.withServent(bytes, guidAt);
    if (neighbour !== null && neighbour.id !== fromId) {
      neighbour.queue.enqueue(make(), Priority.Push);
      return 1;
    }
    const { table } = this;
    if (!table.find(bytes, guidAt)) return 0;
    table.touch(now);
    const { link, alternate } = table;
    let copy: Buffer | null = null;
    let copies = 0;
    for (const id of [link, alternate]) {
      const target = id === fromId ? null : this.#links.get(id);
      if (target === null) continue;
      copy ??= make();
      target.queue.enqueue(copy, Priority.Push);
      copies++;
    }
    return copies;
  }
}
