// Answers of the demo network: pages of lists, and errors.
import { RefusedError } from '../../api/client.ts';
import type { DhtView, Page, PeerView, StatusView } from '../../api/control.ts';

const LIMIT_DEFAULT = 100;

/** Serves a list of the API; runs `before` at each call. */
export const pages =
  <T>(before: () => void, rows: () => readonly T[]) =>
  async (input: object = {}): Promise<Page<T>> => {
    before();
    const { limit = LIMIT_DEFAULT, cursor } = input as { limit?: number; cursor?: string };
    const from = cursor === undefined ? 0 : Number(cursor);
    const all = rows();
    const next = from + limit < all.length ? String(from + limit) : null;
    return { items: all.slice(from, from + limit), next };
  };

export function refused(code: string, detail: string): RefusedError {
  return new RefusedError({ type: 'about:blank', title: code, status: 400, code, detail } as RefusedError['problem']);
}

/** Finds the row with the id of the input. */
export function rowOf<T extends { id: string }>(rows: readonly T[], what: string, input: object): T {
  const { id } = input as { id?: string };
  const row = rows.find(row => row.id === id);
  if (row === undefined) throw refused('NOT_FOUND', `no ${what} ${id}`);
  return row;
}

/** Adds drop reasons; most drops are duplicates. */
export function withReasons(peer: PeerView): PeerView {
  const duplicate = Math.floor(peer.dropped * 0.93);
  return { ...peer, reasons: peer.dropped === 0 ? {} : { duplicate, hit_no_route: peer.dropped - duplicate } };
}

type Operation = { operation: string; input: object };
const test = (name: string, ok: boolean, value: string, mend: string | null = null) => ({ name, ok, value, mend });

const BUCKETS: readonly [good: number, stale: number, pending: number][] = [
  [80, 6, 9],
  [52, 3, 4],
  [38, 1, 2],
  [20, 0, 1],
  [14, 1, 0],
  [10, 0, 0],
];

const DHT: DhtView = {
  mode: 'active',
  kuid: '5f0c9d1e7a3b42688a1cf0e2d4937b6c51e8a20f',
  state: 'ready',
  why: null,
  contacts: { good: 214, stale: 11, pending: 16 },
  buckets: BUCKETS.map(([good, stale, pending], bits) => ({
    bits,
    buckets: bits < 3 ? 8 >> bits : 1,
    good,
    stale,
    pending,
  })),
  values: 96,
  publishing: 12,
  size: 11_800,
  traffic: { in: 48_000_000, out: 39_000_000 },
};

/** Calls composed of other calls, and constant answers. */
export function besides(client: object) {
  const calls = client as Record<string, ((input: object) => Promise<unknown>) | undefined>;
  return {
    bulk: async ({ operations }: { operations: Operation[] }) => ({
      items: await Promise.all(
        operations.map(async ({ operation, input }) => {
          try {
            return { operation, status: 200, body: await calls[operation]?.(input) };
          } catch (error) {
            if (!(error instanceof RefusedError)) throw error;
            return { operation, status: error.problem.status, problem: error.problem };
          }
        }),
      ),
    }),
    election: async () => ({
      verdict: 'we are an ultrapeer: the network wants one and we can carry leaves',
      tests: [
        test('uptime', true, '3 days; wanted: 1 hour'),
        test('tcp reachable', true, 'somebody connected to our port'),
        test('udp reachable', true, 'a datagram came unasked'),
        test('upload', true, '289 KiB/s; wanted: 10 KiB/s'),
      ],
    }),
    dht: async () => DHT,
    refusedPeers: async () => ({
      counts: {
        incoming: { linked: 61, refused_by_us: 12, timeout: 3 },
        outgoing: { linked: 19, refused_by_peer: 44 },
      },
      configured: [],
      items: [],
    }),
    explainSearch: async () => ({
      verdict: 'it was sent to 8 neighbours and answers come in',
      tests: [test('neighbours', true, '9 ultrapeers'), test('asked', true, 'sent to 8 neighbours')],
    }),
    explainDownload: async () => ({
      verdict: 'sources: two of four can be reached',
      tests: [
        test('state', true, 'active'),
        test('sources', false, 'two of four can be reached', 'search for it again: others may have it'),
      ],
    }),
  };
}

const criterion = (name: string, value: number | boolean, wanted: number | boolean) => ({
  name,
  value,
  wanted,
  met: true,
  why: '',
});
export const NOTHING_HASHED: StatusView['library']['progress'] = {
  ...{ state: 'idle', files: 0, hashed: 0, bytes: 0, rate: 0 },
  ...{ eta: null, current: null },
};

export const BOOTSTRAP: StatusView['bootstrap'] = {
  ...{
    state: 'linked',
    detail: 'there are neighbours enough; no cache is asked',
    asking: null,
    round: 0,
    nextIn: null,
  },
  caches: { udp: { known: 9, asked: 0, answered: 0 }, web: { known: 0, asked: 0, answered: 0 } },
};

export const CRITERIA = [
  criterion('uptime', 273_840, 3600),
  criterion('average_uptime', 88_200, 3600),
  criterion('tcp_reachable', true, true),
  criterion('udp_reachable', true, true),
  criterion('upload', 296_000, 10_240),
  criterion('memory', 6_442_450_944, 13_107_200),
  criterion('cpu', 0.07, 0.7),
  criterion('descriptors', 3811, 264),
  criterion('leaves', 25, 1),
];
