// Servents on a virtual network that are nodes of one DHT, of which they hear through their neighbours.
import { randomKuid } from '../../protocol/dht/kuid.ts';
import type { ServentDht } from '../../protocol/servent-dht.ts';
import type { ServentSettings } from '../../protocol/servent-settings.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';
import type { VirtualHost } from '../../sim/servents/virtual-host.ts';
import { VirtualInternet } from '../../sim/servents/virtual-internet.ts';

/** A chain: each is linked to the one before it and to the one after it; `cuts` are numbers of those that are not. */
export function chain(count: number, cuts: readonly number[] = []): VirtualInternet {
  const internet = new VirtualInternet(3);
  const kuids = new SeededRandom(9);
  for (let n = 0; n < count; n++) {
    const before = internet.hosts.at(-1);
    const host = addNode(internet, kuids, { mode: 'ultrapeer', reachable: 'yes' });
    if (before !== undefined && !cuts.includes(n)) host.join(before);
  }
  return internet;
}

export function addNode(
  internet: VirtualInternet,
  kuids: SeededRandom,
  settings: Partial<ServentSettings>,
  firewalled = false,
): VirtualHost {
  const dht = { kuid: randomKuid(kuids), contacts: [] };
  return internet.add({ dht, firewalled, settings: { dht: 'auto', seek: 0, ...settings } });
}

export function dhtOf({ servent }: VirtualHost): ServentDht {
  if (servent.dht === null) throw new Error('no DHT');
  return servent.dht;
}
