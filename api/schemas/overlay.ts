// The servent itself and its place in the overlay.
import { z } from 'zod';
import { address, bytes, count, givenAddress, guid, id, port, rate, seconds, time, traffic, urn } from './common.ts';
import { finding, keptNeighbour } from './explain.ts';

const reachability = z.object({
  state: z.enum(['open', 'firewalled', 'unknown']),
  since: time,
  known: z
    .enum(['configured', 'proof', 'silence'])
    .nullable()
    .describe('by `gnutella.reachable`; others came to us unasked; nobody did for too long; null: not known yet'),
  provenAt: time.nullable().describe('when somebody came last'),
});

const cacheCount = z.object({
  known: count,
  asked: count.describe('in this round'),
  answered: count.describe('in this round'),
});

const bootstrap = z.object({
  state: z
    .enum(['unwanted', 'linked', 'dialling', 'asking', 'waiting', 'alone'])
    .describe(
      '`unwanted`: no neighbours are looked for; `linked`: there are enough; `dialling`: known hosts are dialled; `asking`: caches are asked in turn; `waiting`: for the next round; `alone`: neither a host nor a cache is known',
    ),
  detail: z.string().describe('in words: what is tried, and what is next'),
  asking: z.string().nullable().describe('the cache whose answer is awaited'),
  round: count.describe('rounds of questions since there was a link last'),
  nextIn: seconds.nullable().describe('until a cache is asked, if there is no link by then; null: none will be'),
  caches: z.object({ udp: cacheCount, web: cacheCount }),
});

export const status = z.object({
  version: z.string(),
  servent: guid.describe('our servent GUID'),
  mode: z.enum(['leaf', 'ultrapeer']).describe('what we are now'),
  profile: z.enum(['local', 'lan', 'public']),
  startedAt: time,
  uptime: seconds,
  gnutella: z.object({ host: z.string(), port }).describe('where the Gnutella port listens'),
  api: z.object({ host: z.string(), port }).describe('where this API listens'),
  peers: z.object({ leaves: count, ultrapeers: count }),
  election: z
    .object({
      mode: z.enum(['auto', 'leaf', 'ultrapeer']).describe('as configured'),
      active: z.boolean().describe('elections are held; otherwise the role stays what it is'),
      role: z.enum(['leaf', 'ultrapeer']),
      fit: z.boolean().describe('we could carry leaves'),
      needed: z.boolean().describe('the network wants one more ultrapeer, or still wants us as one'),
      changesIn: seconds.nullable().describe('until the role changes, if things stay as they are; null: it does not'),
      criteria: z.array(
        z.object({
          name: z.string(),
          value: z.union([z.number(), z.boolean()]).nullable().describe('as measured; null: not known'),
          wanted: z.union([z.number(), z.boolean()]).describe('what it is held against'),
          met: z.boolean(),
          why: z.string(),
        }),
      ),
    })
    .describe('why we are leaf or ultrapeer'),
  reachability: z
    .object({ tcp: reachability, udp: reachability })
    .describe('whether others can connect to us; firewalled, we are sent pushes instead'),
  bootstrap: bootstrap.describe('how first neighbours are looked for'),
  neighbours: z.array(keptNeighbour).describe('those of `gnutella.connect`'),
  hosts: count.describe('addresses in the host cache'),
  library: z.object({ files: count, bytes, hashing: count.describe('files still to hash') }),
  searches: count.describe('our own running searches'),
  downloads: z.object({ active: count, queued: count, rate }),
  uploads: z.object({ active: count, queued: count, rate }),
  messages: traffic.extend({
    dropped: count,
    reasons: z.record(z.string(), count).describe('drops, duplicates and bad descriptors by reason'),
  }),
  lostParts: z
    .object({ count, bytes, paths: z.array(z.string()).describe('the first hundred') })
    .describe('part files that no download knows, as they were at the start or when `doctor` looked last'),
  attention: z.array(finding).describe('what the daemon knows to be wrong without looking; `doctor` looks for more'),
});

export const peer = z.object({
  id,
  address,
  role: z.enum(['leaf', 'ultrapeer', 'legacy']).describe('what the peer is; `legacy` speaks 0.4'),
  direction: z.enum(['incoming', 'outgoing']).describe('who opened the connection'),
  userAgent: z.string().nullable(),
  since: time,
  deflate: z.boolean().describe('compressed in at least one direction'),
  compression: z.object({ in: z.boolean(), out: z.boolean() }),
  messages: traffic,
  bytes: traffic.describe('on the wire'),
  dropped: count.describe('messages dropped on this connection, both ways'),
  reasons: z
    .record(z.string(), count)
    .describe('why, those that came in by reason; `unsent`: there was no room to send'),
  queued: bytes.describe('waiting to be sent'),
});

export const connect = z.strictObject({
  address: givenAddress.describe('an IP address or a name; a missing port is 6346'),
});
export const addHost = z.strictObject({ address: givenAddress.describe('an IP address; a missing port is 6346') });

export const host = z.object({
  address,
  ultrapeer: z.boolean().nullable().describe('null: not known yet'),
  source: z.string().describe('where we heard of it, for example `pong`, `handshake`, `configuration`'),
  seenAt: time.nullable().describe('last sign of life, at first or second hand'),
  triedAt: time.nullable(),
  connectedAt: time.nullable(),
  failures: count.describe('attempts that failed since the last success'),
});

export const query = z.object({
  id,
  at: time,
  text: z.string(),
  urns: z.array(urn),
  from: address.describe('the neighbour it came from'),
  ttl: count.describe('as it arrived'),
  hops: count.describe('as it arrived'),
  hits: count.describe('hits that went back for it, ours included'),
});
