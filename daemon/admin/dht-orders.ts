// The node of the DHT, as admins see it.
import type { DhtContactView, DhtView, ListRequest, Page } from '../../api/control.ts';
import { pageOf } from '../../api/page.ts';
import { compareDistance, formatKuid } from '../../protocol/dht/kuid.ts';
import type { ServentDht } from '../../protocol/servent-dht.ts';
import type { Clock } from '../clock.ts';
import { dhtContactView, dhtView } from '../views/dht.ts';
import { DhtLookups } from './dht-lookups.ts';

export interface DhtOrdersParts {
  readonly servent: { readonly dht: ServentDht | null };
  readonly clock: Clock;
}

export class DhtOrders {
  readonly #dht: ServentDht;
  readonly #clock: Clock;
  readonly lookups: DhtLookups;

  constructor({ servent: { dht }, clock }: DhtOrdersParts) {
    if (dht === null) throw new Error('this servent was started without a DHT');
    this.#dht = dht;
    this.#clock = clock;
    this.lookups = new DhtLookups(dht, clock);
  }

  view(): DhtView {
    return dhtView(this.#dht, this.#clock.now());
  }

  contacts(input: ListRequest): Page<DhtContactView> {
    const { kuid: own, parts } = this.#dht.node;
    const nodes = (parts?.table.buckets() ?? []).flatMap(bucket => [...bucket]);
    nodes.sort((a, b) => compareDistance(own, a.kuid, b.kuid));
    return pageOf(
      nodes,
      input,
      ({ kuid }) => formatKuid(kuid),
      node => dhtContactView(node, this.#clock),
    );
  }
}
