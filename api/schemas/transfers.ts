// Schemas of downloads and uploads.
import { z } from 'zod';
import { WAIT_REASONS } from '../../protocol/transfer/uploads/queue/admission.ts';
import { isMagnet } from '../../protocol/wire/pasted-link.ts';
import { address, bytes, count, givenAddress, givenUrn, guid, id, rate, seconds, time, urn } from './common.ts';

const NAME_MAX = 1024;
const SOURCES_MAX = 64;

/** `HOST:PORT`, or a whole URL such as http://HOST:PORT/uri-res/N2R?urn:sha1:… */
const sourceText = z.union([z.url({ protocol: /^https?$/ }).max(2048), givenAddress]);
/** Source of a result; further fields are ignored. */
const sourceObject = z.object({
  address,
  servent: guid.nullish(),
  push: z.boolean().optional(),
  index: count.nullish(),
  name: z.string().max(NAME_MAX).nullish(),
});
export const downloadSource = z.union([sourceText, sourceObject]);

const fromResult = z.strictObject({ search: id, result: id, name: z.string().min(1).max(NAME_MAX).optional() });
const fromMagnet = z.strictObject({
  magnet: z.string().max(16384).refine(isMagnet, 'expected a magnet link such as magnet:?xt=urn:sha1:…'),
});
const fromUrn = z.strictObject({
  urn: givenUrn,
  sources: z.array(downloadSource).max(SOURCES_MAX).default([]),
  name: z.string().min(1).max(NAME_MAX).optional(),
  size: bytes.optional(),
});
export const startDownload = z.union([fromResult, fromMagnet, fromUrn]);

export const downloadState = z.enum(['queued', 'active', 'paused', 'verifying', 'completed', 'failed']);

export const download = z.object({
  id,
  name: z.string(),
  size: bytes.nullable().describe('null: not known yet'),
  done: bytes,
  state: downloadState,
  rate,
  eta: seconds.nullable(),
  urn: urn.nullable(),
  priority: z.int(),
  sources: z.array(
    z.object({
      address,
      servent: guid.nullable(),
      push: z.boolean(),
      state: z.string().describe('for example `idle`, `connecting`, `queued`, `active`, `failed`'),
      error: z.string().nullable(),
    }),
  ),
  path: z.string().nullable().describe('the finished file'),
  error: z.string().nullable(),
  addedAt: time,
  finishedAt: time.nullable(),
});

export const changeDownload = z
  .strictObject({
    state: z.enum(['paused', 'active']).optional(),
    priority: z.int().min(-100).max(100).optional().describe('higher priorities run first; default 0'),
  })
  .refine(input => input.state !== undefined || input.priority !== undefined, {
    path: ['state'],
    message: 'expected `state` or `priority`',
  });

export const upload = z.object({
  id,
  address: address.describe('port 0: not known'),
  userAgent: z.string().nullable(),
  state: z.enum(['queued', 'active']),
  position: count.nullable().describe('position in the queue, from 1; null: active'),
  queue: z
    .object({
      id: guid.describe('queue id of PARQ; also the `id` of an upload that waits without a connection'),
      position: count,
      length: count.describe('entries of its size class'),
      eta: seconds.nullable().describe('null: not known'),
      sizeClass: count.describe('from 1, the largest files; each class has its share of the slots'),
      why: z
        .enum(WAIT_REASONS)
        .describe(
          '`slots_taken`; `others_first`: those before it get the free slots; `address_share`: its address has its share of the slots, it is frozen; `slot_kept`: a slot is kept for its next request; `passed_over`: it let its turn pass, others go first until it asks again',
        ),
      earlyPolls: count.describe('requests that came before their time; after ten of them it loses its place'),
      active: z.boolean().describe('it keeps its connection while it waits; false: it comes back with its id'),
    })
    .nullable()
    .describe('null: active'),
  group: z.string().nullable().describe('of the setting `uploads.groups`, with slots of its own; null: none'),
  name: z.string(),
  urn: urn.nullable(),
  size: bytes.describe('size of the whole file'),
  start: bytes.describe('first requested byte'),
  end: bytes.describe('last requested byte, inclusive'),
  sent: bytes.describe('bytes of the range sent so far'),
  rate,
  since: time,
});

export const direction = z.enum(['upload', 'download']);

export const pastTransfer = z.object({
  id,
  direction,
  result: z
    .enum(['whole', 'partial', 'cut', 'unreadable', 'completed', 'failed'])
    .describe(
      'of an upload: `whole` (all of the file), `partial` (the ranges asked for), `cut` (the peer went), `unreadable`; of a download: `completed`, `failed`',
    ),
  name: z.string(),
  urn: urn.nullable(),
  size: bytes.nullable().describe('size of the whole file; null: not known'),
  bytes: bytes.describe('bytes transferred'),
  rate: rate.describe('mean over the time of the transfer'),
  address: address.nullable().describe('the other side; null: a download from several sources'),
  userAgent: z.string().nullable(),
  error: z.string().nullable(),
  startedAt: time,
  finishedAt: time,
});

export const tally = z.object({
  uploaded: bytes,
  downloaded: bytes,
  ratio: z.number().nullable().describe('uploaded bytes for each downloaded one; null: nothing was downloaded'),
  uploads: count.describe('finished uploads'),
  downloads: count.describe('completed downloads'),
  since: time,
});
export const addressTally = tally
  .omit({ downloads: true })
  .extend({ address: z.string().describe('an IP address'), at: time.describe('the latest transfer') });
export const fileTally = tally.extend({ urn, name: z.string(), at: time.describe('the latest transfer') });
