// Contacts of DHT nodes for tests.
import type { DhtContact } from '../../protocol/dht/dht-contact.ts';
import { randomKuid } from '../../protocol/dht/kuid.ts';
import type { Random } from '../../protocol/ports.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';

/** Each in a /24 of its own. */
export function endpointOf(number: number): Endpoint {
  return { host: `${11 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}.1`, port: 6346 };
}

export function contactOf(kuid: Buffer, endpoint: Endpoint): DhtContact {
  return { vendor: 'SRVT', version: 0, kuid, endpoint };
}

/** With a random KUID; `prefix` of so many bits when wanted. */
export function anyContact(random: Random, endpoint: Endpoint, prefix?: Buffer, bits?: number): DhtContact {
  return contactOf(randomKuid(random, prefix, bits), endpoint);
}
