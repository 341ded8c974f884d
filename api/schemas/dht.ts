// Schema of the node of the DHT.
import { z } from 'zod';
import { address, bytes, count, givenUrn, guid, id, seconds, time } from './common.ts';

const kuid = z.string().regex(/^[0-9a-f]{40}$/, 'expected 40 lowercase hex digits');

const mode = z
  .enum(['off', 'passive', 'active'])
  .describe('`passive`: it asks others and answers nobody; `active`: it answers requests and keeps values');
const state = z
  .enum(['off', 'seeking', 'ready'])
  .describe('`seeking`: it looks for first nodes; `ready`: it has joined');
const why = z.string().nullable().describe('why it does not answer requests; null: it does');
const size = count.describe('nodes of the network, estimated; 0: off');
const kept = count.describe('kept for others');

/** In the status. */
export const dhtSummary = z.object({
  mode,
  state,
  why,
  nodes: count.describe('that have answered'),
  values: kept,
  size,
});

const contacts = { good: count, stale: count, pending: count };

export const dht = z.object({
  mode,
  kuid,
  state,
  why,
  contacts: z
    .object(contacts)
    .describe('nodes that have answered; that have not answered lately; that wait for a place or for proof'),
  buckets: z
    .array(z.object({ bits: count, buckets: count, ...contacts }))
    .describe(
      'the routing table by the bits that KUIDs share with our own: half of all nodes share none; the last ones are around us',
    ),
  values: kept,
  publishing: count.describe('own values'),
  size,
  traffic: z.object({ in: bytes, out: bytes }).describe('of its datagrams since the start'),
});

/** Data of an event. */
export const dhtLookupEnded = z.object({
  kind: z
    .enum(['node', 'value', 'publish', 'refresh'])
    .describe('what it was for: a node or a value that was asked for, a value of ours to store, or the routing table'),
  target: kuid,
  end: z
    .enum(['found', 'nearest', 'missing', 'silent', 'too_long', 'refused'])
    .describe(
      '`found`: values; `nearest`: the nearest nodes answered; `missing`: they have no such value; `silent`: nobody answered; `too_long`: after 120 s; `refused`: too many wait',
    ),
  hops: count.describe('requests one after the other'),
  asked: count.describe('requests'),
  values: count,
  seconds,
});

export const dhtContact = z.object({
  kuid,
  address,
  vendor: z.string().describe('four characters, such as `GTKG` or `LIME`'),
  state: z
    .enum(['good', 'stale', 'pending'])
    .describe('`good`: it answered; `stale`: not lately; `pending`: it waits for a place or for proof'),
  rtt: seconds.nullable().describe('round trip, smoothed; null: it has not answered yet'),
  seenAt: time.describe('of its last message'),
});

export const startLookup = z
  .strictObject({
    urn: givenUrn.optional().describe('a content, by its SHA-1: who has it is looked for'),
    guid: guid.optional().describe('a servent: its push proxies are looked for'),
    kuid: kuid.optional().describe('a node of the DHT, which is looked for itself'),
  })
  .refine(input => Object.values(input).filter(value => value !== undefined).length === 1, {
    path: ['urn'],
    message: 'expected one of `urn`, `guid` and `kuid`',
  });

export const dhtLookup = z.object({
  id,
  target: kuid.describe('the key, or the KUID of the node'),
  state: z
    .enum(['running', 'found', 'missing', 'failed'])
    .describe('`missing`: those that should have it answered that they have not'),
  error: z.string().nullable().describe('why it failed; null: it did not'),
  asked: count.describe('nodes, once it is over'),
  path: z
    .array(z.object({ kuid, address, distance: kuid.describe('from the target, in hex'), ms: z.number().min(0) }))
    .describe(
      'the nodes asked one after the other, up to the nearest one or to that with the values; empty while it runs',
    ),
  values: z.array(
    z.object({
      type: z.string().describe('`ALOC`: a place of a file, `PROX`, `NOPE`: push proxies, or another one'),
      creator: kuid,
      address: address.describe("the creator's, with the port that the value names"),
      version: z.string(),
      servent: guid.nullable().describe('the GUID in it; null: it cannot be read'),
      firewalled: z.boolean().nullable().describe('has to be asked by push; null: not said'),
      size: bytes.nullable().describe('of the file; null: not said'),
      proxies: z.array(address),
    }),
  ),
});
