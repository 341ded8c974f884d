// One servent finds a file of another by its name, fetches it and compares the copy; and how that went.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { DownloadView, ResultView } from '../../api/control.ts';
import { isReachWay, type ReachWay } from '../../protocol/transfer/reaching/reach-way.ts';
import { pseudoRandom, until } from '../stage.ts';
import type { NatNetwork } from './nat-network.ts';

export interface Pair {
  /** Names of places. */
  readonly seeker: string;
  readonly source: string;
}

export interface PairOutcome extends Pair {
  /** Milliseconds until the search had it; null: not found. */
  readonly foundMs: number | null;
  /** Milliseconds from the order to the verified file; null: it did not come. */
  readonly fetchedMs: number | null;
  /** How the connection came about. */
  readonly way: ReachWay | null;
  /** Why there is no copy. */
  readonly error: string | null;
}

/** Names of files have words of their own, so that a search for one finds no other. */
const nameOf = ({ seeker, source }: Pair) => `${source} recording for ${seeker}.bin`;

const FOUND_WAIT_MS = 20_000;
/** After which a search that has found nothing is asked anew: routing tables of leaves may have been on their way. */
const SEARCH_MS = 3_000;

/** Writes the file that the source is to share; before the network starts. */
export async function prepare(folder: string, pair: Pair, bytes: number): Promise<void> {
  const shared = join(folder, pair.source, 'shared');
  await mkdir(shared, { recursive: true });
  await writeFile(join(shared, nameOf(pair)), pseudoRandom(nameOf(pair), bytes));
}

/** Searches, fetches and compares; waits at most `waitMs` for the file. */
export async function exchange(network: NatNetwork, folder: string, pair: Pair, waitMs: number): Promise<PairOutcome> {
  const outcome = { ...pair, foundMs: null, fetchedMs: null, way: null };
  const began = performance.now();
  const found = await find(network, pair).catch((error: Error) => error);
  if (found instanceof Error) return { ...outcome, error: 'not found' };
  const foundMs = performance.now() - began;
  const { client } = network.servent(pair.seeker);
  const { id } = await client.startDownload({ search: found.search, result: found.result.id });
  const ordered = performance.now();
  let latest: DownloadView | null = null;
  const done = await until(
    'the file is there',
    async () => {
      latest = await client.download({ id });
      return latest.state === 'completed' || latest.state === 'failed' ? latest : null;
    },
    waitMs,
  ).catch(() => latest);
  const fetchedMs = performance.now() - ordered;
  const way = done === null ? null : wayOf(done);
  if (done?.state !== 'completed' || done.path === null) return { ...outcome, foundMs, way, error: failure(done) };
  const [wanted, got] = [await sha1(join(folder, pair.source, 'shared', nameOf(pair))), await sha1(done.path)];
  if (wanted !== got) return { ...outcome, foundMs, way, error: 'the copy differs from the original' };
  return { ...outcome, foundMs, fetchedMs, way, error: null };
}

async function find(network: NatNetwork, pair: Pair): Promise<{ search: string; result: ResultView }> {
  const { client } = network.servent(pair.seeker);
  const name = nameOf(pair);
  let search = '';
  let asked = Number.NEGATIVE_INFINITY;
  return until(
    `${pair.seeker} finds "${name}"`,
    async () => {
      if (performance.now() - asked > SEARCH_MS) {
        if (search !== '') await client.removeSearch({ id: search });
        search = (await client.startSearch({ text: name.replace('.bin', '') })).id;
        asked = performance.now();
      }
      const { items } = await client.results({ id: search });
      const result = items.find(item => item.name === name);
      return result === undefined ? null : { search, result };
    },
    FOUND_WAIT_MS,
  );
}

function wayOf({ sources }: DownloadView): ReachWay | null {
  const way = sources[0]?.way ?? '';
  return isReachWay(way) ? way : null;
}

function failure(download: DownloadView | null): string {
  const source = download?.sources[0];
  return download?.error ?? source?.error ?? `${source?.state ?? 'no source'} at the end of the time`;
}

async function sha1(path: string): Promise<string> {
  const hash = createHash('sha1');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
