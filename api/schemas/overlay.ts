// Schemas of the servent, its neighbours, hosts and queries.
import { z } from 'zod';
import { address, bytes, count, givenAddress, guid, id, port, rate, seconds, time, traffic, urn } from './common.ts';
import { dhtSummary } from './dht.ts';
import { finding, keptNeighbour } from './explain.ts';
import { hashing } from './library.ts';
import { budget, limit } from './limits.ts';
import { nat } from './nat.ts';

const reachability = z.object({
  state: z.enum(['open', 'firewalled', 'unknown']),
  since: time,
  known: z
    .enum(['configured', 'proof', 'silence'])
    .nullable()
    .describe(
      'evidence: `gnutella.reachable`, an unsolicited incoming connection, or none for too long; null: unknown',
    ),
  provenAt: time.nullable().describe('last unsolicited incoming connection'),
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
      '`unwanted`: no neighbours are needed; `linked`: there are enough; `dialling`: known hosts are dialled; `asking`: caches are queried in turn; `waiting`: until the next round; `alone`: no further host to dial and no cache is known',
    ),
  detail: z.string().describe('current and next step in words'),
  asking: z.string().nullable().describe('the cache whose answer is awaited'),
  round: count.describe('rounds of cache requests since the last link'),
  nextIn: seconds
    .nullable()
    .describe('seconds until the next cache request if there is no link; null: none is planned'),
  caches: z.object({ udp: cacheCount, web: cacheCount }),
});

export const status = z.object({
  version: z.string(),
  servent: guid.describe('our servent GUID'),
  mode: z.enum(['leaf', 'ultrapeer']).describe('current role'),
  profile: z.enum(['local', 'lan', 'public']),
  startedAt: time,
  uptime: seconds,
  gnutella: z.object({ host: z.string(), port }).describe('listening address of the Gnutella port'),
  api: z.object({ host: z.string(), port }).describe('listening address of the API'),
  peers: z.object({ leaves: count, ultrapeers: count }),
  election: z
    .object({
      mode: z.enum(['auto', 'leaf', 'ultrapeer']).describe('as configured'),
      active: z.boolean().describe('whether the role may change'),
      role: z.enum(['leaf', 'ultrapeer']),
      fit: z.boolean().describe('whether this servent can be an ultrapeer'),
      needed: z.boolean().describe('whether the network needs this servent as an ultrapeer'),
      changesIn: seconds
        .nullable()
        .describe('seconds until the role changes under current conditions; null: no change is due'),
      criteria: z.array(
        z.object({
          name: z.string(),
          value: z.union([z.number(), z.boolean()]).nullable().describe('as measured; null: not known'),
          wanted: z.union([z.number(), z.boolean()]).describe('required value'),
          met: z.boolean(),
          why: z.string(),
        }),
      ),
    })
    .describe('tests that decide the role'),
  reachability: z
    .object({ tcp: reachability, udp: reachability })
    .describe('whether others can connect to this servent; if not, they send pushes'),
  nat: nat.describe('how others get to this servent, as `GET /nat`'),
  bootstrap: bootstrap.describe('state of the search for first neighbours'),
  neighbours: z.array(keptNeighbour).describe('neighbours of `gnutella.connect`'),
  hosts: count.describe('addresses in the host cache'),
  library: z.object({
    files: count,
    bytes,
    hashing: count.describe('files still to hash'),
    trees: count.describe('shared files whose hash tree is still to be made, in idle time'),
    media: z
      .object({
        known: count.describe('shared files with metadata'),
        pending: count.describe('media files still to read, in idle time'),
        failed: count.describe('media files that could not be read; they are shared without metadata'),
      })
      .describe('metadata of audio and video files'),
    progress: hashing,
  }),
  dht: dhtSummary.describe('the node of the DHT'),
  searches: count.describe('our own running searches'),
  downloads: z.object({ active: count, queued: count, rate }),
  uploads: z.object({ active: count, queued: count, rate }),
  limits: z.array(limit).describe('limits of bandwidth that are set; `GET /limits` has all'),
  budget: budget.nullable().describe('the monthly budget; null: none'),
  messages: traffic.extend({
    dropped: count,
    reasons: z.record(z.string(), count).describe('drops, duplicates and bad descriptors by reason'),
  }),
  lostParts: z
    .object({ count, bytes, paths: z.array(z.string()).describe('the first 100') })
    .describe('part files without a download, as found at the start or by the last `doctor`'),
  attention: z.array(finding).describe('known problems; `doctor` checks for more'),
});

export const peer = z.object({
  id,
  address,
  role: z.enum(['leaf', 'ultrapeer', 'legacy']).describe('role of the peer; `legacy`: version 0.4'),
  direction: z.enum(['incoming', 'outgoing']).describe('who opened the connection'),
  userAgent: z.string().nullable(),
  since: time,
  deflate: z.boolean().describe('compressed in at least one direction'),
  compression: z.object({ in: z.boolean(), out: z.boolean() }),
  messages: traffic,
  bytes: traffic.describe('on the wire'),
  dropped: count.describe('messages dropped on this connection, both ways'),
  reasons: z.record(z.string(), count).describe('dropped messages by reason; `unsent`: the send queue was full'),
  queued: bytes.describe('waiting to be sent'),
});

export const connect = z.strictObject({
  address: givenAddress.describe('an IP address or a name; a missing port is 6346'),
});
export const addHost = z.strictObject({ address: givenAddress.describe('an IP address; a missing port is 6346') });

export const host = z.object({
  address,
  ultrapeer: z.boolean().nullable().describe('null: not known yet'),
  source: z.string().describe('source of the address, for example `pong`, `handshake`, `configuration`'),
  seenAt: time.nullable().describe('time at which it was last known to be alive, also from third parties'),
  triedAt: time.nullable(),
  connectedAt: time.nullable(),
  failures: count.describe('failed attempts since the last success'),
});

export const query = z.object({
  id,
  at: time,
  text: z.string(),
  urns: z.array(urn),
  from: address.describe('the neighbour that sent it'),
  ttl: count.describe('as it arrived'),
  hops: count.describe('as it arrived'),
  hits: count.describe('hits sent back for it, own ones included'),
});
