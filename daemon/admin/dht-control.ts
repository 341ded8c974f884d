// The admin API's operations on the node of the DHT.
import type { Control } from '../../api/control.ts';
import { pageOf } from '../../api/page.ts';
import { compareDistance, formatKuid } from '../../protocol/dht/kuid.ts';
import { dhtContactView, dhtView } from '../views/dht.ts';
import type { ControlParts } from './control-parts.ts';
import { DhtLookups } from './dht-lookups.ts';

type DhtControl = Pick<Control, 'dht' | 'dhtContacts' | 'startDhtLookup' | 'dhtLookup' | 'explainDhtLookup'>;

export function dhtControl({ servent: { dht }, clock }: Pick<ControlParts, 'servent' | 'clock'>): DhtControl {
  if (dht === null) throw new Error('this servent was started without a DHT');
  const lookups = new DhtLookups(dht, clock);
  return {
    dht: () => dhtView(dht, clock.now()),
    dhtContacts: input => {
      const { kuid: own, parts } = dht.node;
      const nodes = (parts?.table.buckets() ?? []).flatMap(bucket => [...bucket]);
      nodes.sort((a, b) => compareDistance(own, a.kuid, b.kuid));
      return pageOf(
        nodes,
        input,
        ({ kuid }) => formatKuid(kuid),
        node => dhtContactView(node, clock),
      );
    },
    startDhtLookup: input => lookups.start(input),
    dhtLookup: ({ id }) => lookups.get(id),
    explainDhtLookup: ({ id }) => lookups.explain(id),
  };
}
