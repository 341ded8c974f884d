// Schemas of downloads and uploads.
import { z } from 'zod';
import { BATCH_FILES_MAX } from '../../protocol/transfer/downloads/batch.ts';
import { WAIT_REASONS } from '../../protocol/transfer/uploads/queue/admission.ts';
import { MAGNET_CHARACTERS_MAX } from '../../protocol/wire/magnet.ts';
import { METALINK_CHARACTERS_MAX } from '../../protocol/wire/metalink.ts';
import { isMagnet } from '../../protocol/wire/pasted-link.ts';
import {
  address,
  bytes,
  count,
  givenAddress,
  givenUrn,
  guid,
  id,
  rate,
  seconds,
  time,
  urn,
  wholeNumber,
} from './common.ts';
import { resultFilter } from './searches.ts';

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

/** Taken with each way to name the file. */
const wish = {
  category: z.string().max(40).optional().describe('of `downloads.categories`; absent: by their rules'),
  again: z.boolean().optional().describe('another copy, though the content is here already or being fetched'),
};
const fromResult = z.strictObject({
  search: id,
  result: id,
  name: z.string().min(1).max(NAME_MAX).optional(),
  ...wish,
});
const fromMagnet = z.strictObject({
  magnet: z
    .string()
    .max(MAGNET_CHARACTERS_MAX)
    .refine(isMagnet, 'expected a magnet link such as magnet:?xt=urn:sha1:…'),
  ...wish,
});
const fromMetalink = z.strictObject({
  metalink: z
    .string()
    .min(1)
    .max(METALINK_CHARACTERS_MAX)
    .describe('the text of a Metalink description, version 3 or 4; each of its files is downloaded'),
  ...wish,
});
const fromUrn = z.strictObject({
  urn: givenUrn,
  sources: z.array(downloadSource).max(SOURCES_MAX).default([]),
  name: z.string().min(1).max(NAME_MAX).optional(),
  size: bytes.optional(),
  ...wish,
});
/** Several results of a search or browse: a batch. */
const batchOf = {
  search: id,
  name: z
    .string()
    .min(1)
    .max(NAME_MAX)
    .optional()
    .describe('of the folder for them; absent: the folder in which they are, else what their names have in common'),
  ...wish,
};
const fromResults = z.strictObject({ results: z.array(id).min(1).max(BATCH_FILES_MAX), ...batchOf });
const fromFolder = z.strictObject({
  folder: z
    .string()
    .min(1)
    .max(NAME_MAX)
    .describe('results in a folder of this name or path, and in those within; case does not matter'),
  ...batchOf,
});
const fromFilter = z.strictObject({
  filter: resultFilter.describe('results that match, such as `type=audio and name~"moon"`'),
  ...batchOf,
});
export const startDownload = z.union([
  fromResult,
  fromMagnet,
  fromMetalink,
  fromUrn,
  fromResults,
  fromFolder,
  fromFilter,
]);

export const downloadState = z.enum(['queued', 'active', 'paused', 'verifying', 'completed', 'failed']);

const downloadOrder = z
  .enum(['any', 'sequential'])
  .describe('`sequential`: from the start to the end, for players; `any`: the rarest first');

export const download = z.object({
  id,
  name: z.string(),
  size: bytes.nullable().describe('null: not known yet'),
  done: bytes,
  verified: bytes.describe('of `done`: those that the hash tree has verified; all of a completed file with a hash'),
  wasted: bytes.describe('bytes that came in vain: twice, or wrong'),
  tree: z.string().nullable().describe('root of the hash tree that its bytes are verified by; null: none yet'),
  state: downloadState,
  rate,
  eta: seconds.nullable(),
  urn: urn.nullable(),
  priority: z.int(),
  position: count.nullable().describe('place in the queue, from 1; null: it is finished'),
  category: z.string().nullable().describe('of the setting `downloads.categories`; null: none'),
  batch: z
    .object({ id, name: z.string() })
    .nullable()
    .describe('it was asked for with others, whose files go into one folder; null: alone'),
  order: downloadOrder,
  sources: z.array(
    z.object({
      address,
      servent: guid.nullable(),
      push: z.boolean(),
      way: z
        .string()
        .nullable()
        .describe(
          'how its latest connection came about: `direct`; by push, asked for by `datagram`, of a `proxy` over HTTP, of a proxy that the `dht` named, or along the `overlay`; `rudp`: a stream by UDP between two that are firewalled; `relay`; null: none yet',
        ),
      state: z.string().describe('for example `idle`, `connecting`, `queued`, `active`, `failed`'),
      rate,
      bytes: bytes.describe('bytes of the file that it brought'),
      wasted: bytes.describe('bytes of it that came in vain: twice, or wrong'),
      queue: z
        .object({
          position: count,
          length: count.nullable(),
          eta: seconds.nullable(),
          id: z.string().nullable().describe('queue id of PARQ'),
        })
        .nullable()
        .describe('our place in its queue; null: it does not wait there'),
      error: z.string().nullable().describe('one that sent wrong bytes says `corrupt`'),
    }),
  ),
  search: z
    .object({
      asked: count.describe('how often the network was asked for sources'),
      next: time.nullable().describe('when it is asked again; null: not any more, it has sources enough or is paused'),
    })
    .nullable()
    .describe('the search for sources; null: there is none'),
  path: z.string().nullable().describe('the finished file'),
  error: z.string().nullable(),
  addedAt: time,
  finishedAt: time.nullable(),
});

const joined = z.enum(['download', 'file', 'library']).nullable();
const unused = z.array(z.string()).describe('what of the link or description is not used, and why');

export const startedDownload = download.extend({
  joined: joined.describe(
    'the content was there: an unfinished `download`, which gets the new sources; the `file` of a finished one; the `library` shares it at `path`; null: it is fetched',
  ),
  unused,
  items: z
    .array(z.object({ name: z.string(), id: id.nullable(), joined, unused, error: z.string().nullable() }))
    .nullable()
    .describe(
      'of several: what became of each file, with the `id` of its download or the `error` for which it has none; the answer itself is the first that has one',
    ),
});

/** All downloads of a batch have ended. */
export const batchEnd = z.object({
  id,
  name: z.string(),
  path: z.string().nullable().describe('the folder of its files; null: none is complete'),
  completed: count,
  failed: count,
  bytes: bytes.describe('of the completed files'),
});

export const changeDownload = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(NAME_MAX)
      .optional()
      .describe(
        'a finished file is renamed at once, never over another; one under way is given the name when it is finished',
      ),
    state: z.enum(['paused', 'active']).optional(),
    category: z
      .string()
      .max(40)
      .nullable()
      .optional()
      .describe('null: none; its finished file goes to the folder of the category'),
    priority: z.int().min(-100).max(100).optional().describe('higher priorities run first; default 0'),
    order: downloadOrder.optional(),
    position: z.enum(['top', 'up', 'down', 'bottom']).optional().describe('moves it among those of the same priority'),
  })
  .refine(input => Object.values(input).some(value => value !== undefined), {
    path: ['state'],
    message: 'expected `state`, `name`, `priority`, `position`, `category` or `order`',
  });

export const clearDownloads = z.strictObject({
  state: z
    .enum(['completed', 'failed'])
    .default('completed')
    .describe('which are forgotten: by default `completed`, whose files stay; of `failed` ones the partial files go'),
});
export const clearedDownloads = z.object({ items: z.array(z.object({ id, name: z.string() })) });

const chunkState = z.enum(['missing', 'assigned', 'received', 'verified']);
export const downloadChunks = z.object({
  size: bytes.nullable(),
  states: z
    .array(
      z.object({
        start: bytes,
        end: bytes.describe('not included'),
        state: chunkState,
        source: address.nullable().describe('who is asked, or who brought it; null: nobody, or not known any more'),
      }),
    )
    .describe('in order, without holes'),
});

/** Longest wait for a missing byte. */
const WAIT_SECONDS_MAX = 300;

export const contentQuery = z.strictObject({
  wait: wholeNumber(0, WAIT_SECONDS_MAX)
    .default(30)
    .describe('seconds to wait for each byte that is not there yet; 0: what is there of the range, or 416'),
});
export type ContentInput = z.output<typeof contentQuery>;

export const recoveredParts = z.object({
  items: z.array(
    z.object({
      path: z.string().describe('a part file without a download'),
      outcome: z
        .enum(['recovered', 'joined', 'undescribed', 'unreadable', 'failed'])
        .describe(
          '`recovered`: it is a download again; `joined`: another download fetches the same; `undescribed`: no description is beside it; `unreadable`: a bad one is',
        ),
      id: id.nullable().describe('of the download'),
      name: z.string().nullable(),
      done: bytes.describe('bytes that are kept'),
      note: z.string().describe('what was done, or why nothing was'),
    }),
  ),
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
