// Daemons joined over loopback: built, counted through their APIs as any operator would, taken down.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '../../api/client.ts';
import { formatSha1Urn } from '../../protocol/wire/urn.ts';
import { graphOf, type SearchCost, type TwoTierShape } from '../../test/support/two-tier.ts';
import { SeededRandom } from '../../test/support/virtual-network.ts';
import type { Started, Wanted } from './servents.ts';

const PROCESSES = 4;
/** A search is over when nothing has moved for so long: longer than any step of a dynamic query here. */
const QUIET_MS = 1800;
const POLL_MS = 250;
/** A table travels at most once a second there, and an ultrapeer's after those of its leaves. */
const TABLES_QUIET_MS = 4000;
const PATIENCE_MS = 60_000;

interface Servent extends Started {
  readonly client: Client;
}

export interface TcpNetworkSpec extends TwoTierShape {
  readonly seed: number;
  /** Everybody relays and floods over the same links, as Gnutella 0.4 did. */
  readonly flat: boolean;
  readonly shares: (index: number) => readonly string[];
}

interface Moved {
  readonly queries: number;
  readonly hits: number;
  readonly tables: number;
}

const self = fileURLToPath(import.meta.url);
const program = join(dirname(self), `servents${extname(self)}`);

export class TcpNetwork {
  readonly #folder: string;
  readonly #processes: ChildProcess[];
  readonly #servents: readonly Servent[];

  private constructor(folder: string, processes: ChildProcess[], servents: readonly Servent[]) {
    this.#folder = folder;
    this.#processes = processes;
    this.#servents = servents;
  }

  /** All links up, all files hashed, all tables exchanged. */
  static async start(spec: TcpNetworkSpec): Promise<TcpNetwork> {
    const folder = await mkdtemp(join(tmpdir(), 'servent-network-'));
    const processes = Array.from({ length: PROCESSES }, () => fork(program, { execArgv: process.execArgv }));
    try {
      const wanted = await Promise.all(
        Array.from({ length: spec.ultrapeers + spec.leaves }, (_, index) => prepare(folder, spec, index)),
      );
      // dealt out in turn: every process has its share of ultrapeers
      const hands = processes.map((_, hand) => wanted.filter((_, index) => index % PROCESSES === hand));
      const started = await Promise.all(processes.map((child, hand) => startAll(child, hands[hand] ?? [])));
      const servents = wanted.map((_, index) => {
        const one = started[index % PROCESSES]?.[Math.floor(index / PROCESSES)];
        if (one === undefined) throw new Error('fewer servents than were asked for');
        return { ...one, client: createClient({ url: one.api, token: one.token }) };
      });
      const network = new TcpNetwork(folder, processes, servents);
      await network.#join(spec);
      return network;
    } catch (error) {
      await takeDown(folder, processes);
      throw error;
    }
  }

  async #join(spec: TcpNetworkSpec): Promise<void> {
    for (const [from, to] of graphOf(spec, new SeededRandom(spec.seed))) {
      const { gnutella: address } = this.#at(to);
      await this.#at(from).client.connect({ address });
    }
    const hashed = async (): Promise<boolean> => {
      const all = await Promise.all(this.#servents.map(({ client }) => client.status()));
      return all.every(({ library }) => library.hashing === 0);
    };
    for (const deadline = Date.now() + PATIENCE_MS; !(await hashed()); await wait(POLL_MS)) {
      if (Date.now() > deadline) throw new Error('the files were not hashed in time');
    }
    await this.#quiet(({ tables }) => tables, TABLES_QUIET_MS);
  }

  /** Runs one search until nothing moves any more, and counts what went over all links. */
  async searchCost(searcher: number, { text, urns }: { text: string; urns?: readonly Buffer[] }): Promise<SearchCost> {
    const { client } = this.#at(searcher);
    const [sha1] = urns ?? [];
    const before = await this.#moved();
    const { id } = await client.startSearch({
      ...(text === '' ? {} : { text }),
      ...(sha1 === undefined ? {} : { urn: formatSha1Urn(sha1) }),
    });
    const after = await this.#quiet(({ queries, hits }) => queries + hits, QUIET_MS);
    const [{ hits: records }, { items }] = await Promise.all([
      client.search({ id }),
      client.results({ id, limit: 500 }),
    ]);
    await client.removeSearch({ id });
    return {
      queries: after.queries - before.queries,
      hits: after.hits - before.hits,
      found: new Set(items.flatMap(({ sources }) => sources.map(({ servent }) => servent))).size,
      records,
    };
  }

  async stop(): Promise<void> {
    await takeDown(this.#folder, this.#processes);
  }

  #at(index: number): Servent {
    const servent = this.#servents[index];
    if (servent === undefined) throw new Error(`no servent ${index}`);
    return servent;
  }

  /** Until `count` has stayed the same for `quietMs`. Looks no more often: sixty scrapes delay what they count. */
  async #quiet(count: (moved: Moved) => number, quietMs: number): Promise<Moved> {
    const deadline = Date.now() + PATIENCE_MS;
    for (let before: Moved | null = null; Date.now() < deadline; ) {
      await wait(quietMs);
      const now = await this.#moved();
      if (before !== null && count(now) === count(before)) return now;
      before = now;
    }
    throw new Error('the network does not come to rest');
  }

  /** Descriptors that arrived anywhere, since the start. */
  async #moved(): Promise<Moved> {
    const texts = await Promise.all(this.#servents.map(scrape));
    const sum = (type: string): number => {
      const line = new RegExp(`^gnutella_descriptors_in_total\\{type="${type}"\\} (\\d+)$`, 'm');
      return texts.reduce((total, text) => total + Number(line.exec(text)?.[1] ?? Number.NaN), 0);
    };
    return { queries: sum('query'), hits: sum('query_hit'), tables: sum('route_table_update') };
  }
}

async function prepare(folder: string, spec: TcpNetworkSpec, index: number): Promise<Wanted> {
  const dataDir = join(folder, `${index}`);
  const shared = join(dataDir, 'shared');
  await mkdir(shared, { recursive: true });
  for (const name of spec.shares(index)) await writeFile(join(shared, name), name); // the same content by name, as contentOf() has it
  return { dataDir, mode: index < spec.ultrapeers || spec.flat ? 'ultrapeer' : 'leaf', flooding: spec.flat };
}

async function startAll(child: ChildProcess, wanted: readonly Wanted[]): Promise<Started[]> {
  const ended = new AbortController();
  child.once('exit', () => ended.abort());
  const answered = once(child, 'message', { signal: ended.signal });
  child.send(wanted);
  const [{ started, error }] = (await answered) as [{ started?: Started[]; error?: string }];
  if (started === undefined) throw new Error(`a servent did not start: ${error}`);
  return started;
}

async function scrape({ api, token }: Started): Promise<string> {
  const answer = await fetch(`${api}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`metrics: ${answer.status}`);
  return answer.text();
}

async function takeDown(folder: string, processes: readonly ChildProcess[]): Promise<void> {
  await Promise.all(
    processes.map(async child => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    }),
  );
  await rm(folder, { recursive: true, force: true });
}
