import t from 'tap';
import type { DhtContact } from '../../../protocol/dht/dht-contact.ts';
import { DhtCounters } from '../../../protocol/dht/dht-counters.ts';
import { PUBLIC_DHT } from '../../../protocol/dht/dht-rules.ts';
import { Lookups, type OnLookupEnd } from '../../../protocol/dht/lookups.ts';
import { Publisher } from '../../../protocol/dht/publisher.ts';
import type { RequestBody, RequestEnds } from '../../../protocol/dht/requests.ts';
import { contactOf, endpointOf } from '../../support/dht-contacts.ts';

const creator = contactOf(Buffer.alloc(20, 1), endpointOf(1));
const other = contactOf(Buffer.alloc(20, 2), endpointOf(2));
const key = Buffer.alloc(20, 3);

t.test('data that change while they are published do not ask for a tick again and again', async t => {
  const lookups: OnLookupEnd[] = [];
  const start = (_wish: unknown, _now: number, onEnd: OnLookupEnd): void => void lookups.push(onEnd);
  const ports = { lookups: { start }, requests: {}, counters: new DhtCounters(), creator: () => creator };
  const publisher = new Publisher(ports as unknown as ConstructorParameters<typeof Publisher>[0]);
  const publish = (text: string, now: number): boolean =>
    publisher.publish({ key, type: 'ALOC', version: 1, data: Buffer.from(text) }, now);
  publish('one', 1_000);
  publisher.tick(1_000);
  publish('two', 2_000);
  publisher.tick(2_000);
  publisher.hasten('ALOC', 3_000);
  publisher.tick(3_000);
  t.equal(lookups.length, 1);
  t.equal(publisher.nextAt, Number.POSITIVE_INFINITY, 'the end of the lookup is waited for');
});

t.test('a lookup whose time is up while its values are fetched asks for no tick before the fetch is over', async t => {
  const asks: { body: RequestBody; ends: RequestEnds }[] = [];
  const requests = {
    ask: (_to: unknown, body: RequestBody, _now: number, ends: RequestEnds) => asks.push({ body, ends }) > 0,
    admitsAt: () => 0,
  };
  const lookups = new Lookups({
    own: creator.kuid,
    rules: PUBLIC_DHT,
    requests,
    closest: (): DhtContact[] => [other],
    networkSize: () => 2 ** 40,
    refuses: () => false,
    onEnd: () => {},
  } as unknown as ConstructorParameters<typeof Lookups>[0]);
  lookups.start({ target: key, type: 'ALOC', ofNode: false }, 1_000, () => {});
  const header = { muid: Buffer.alloc(16), contact: other, instance: 1, firewalled: false, leaving: false };
  const named = { kind: 'value', header, load: 0, values: [], secondaryKeys: [creator.kuid] } as const;
  asks[0]?.ends.onAnswer?.(named, true, 120_000);
  t.equal(asks.length, 2, 'the rest is asked for');
  lookups.tick(121_001);
  t.equal(lookups.nextAt, 165_000);
  lookups.tick(165_000);
  t.equal(lookups.running, 0);
});
