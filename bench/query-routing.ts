// An ultrapeer with 1,000 leaves that have sent QRP tables: what a query costs, what a leaf's new table costs, what a
// leaf takes. In process, through Overlay.receive().
import { randomFillSync } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Type } from '../protocol/constants.ts';
import { capabilitiesOf } from '../protocol/handshake/capabilities.ts';
import { Headers } from '../protocol/handshake/header-block.ts';
import type { Link } from '../protocol/overlay/links/link.ts';
import { encodeTable } from '../protocol/qrp/patch.ts';
import { QrpTable } from '../protocol/qrp/table.ts';
import { encodeDescriptor } from '../protocol/wire/header.ts';
import { encodeQuery } from '../protocol/wire/query.ts';
import { encodeRouteTableUpdate } from '../protocol/wire/route-table-update.ts';
import { bareOverlay } from '../test/support/bare-overlay.ts';

export const about = 'query-routing: a query against the QRP tables of 1,000 leaves, a new table of one of them';

const LEAVES = 1_000;
const SLOTS = 65_536;
const VOCABULARY = 30_000;
const WORDS_OF_LEAF = 250;
const QUERIES = 5_000;
const CHANGES = 200;

/** Words as files have them: few in many names, most in few. Reproducible. */
let state = 1;
function chance(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}
const wordOf = (rank: number): string => `w${(rank * 48_271).toString(36)}${rank}`;
const anyWord = (): string => wordOf(Math.floor(VOCABULARY * chance() ** 2));
const someWords = (count: number): string[] => Array.from({ length: count }, anyWord);

const nothing = (): void => undefined;
const guid = (): Buffer => randomFillSync(Buffer.alloc(16));

function tableFrames(before: QrpTable | null, after: QrpTable): Buffer {
  const updates = encodeTable(before, after);
  return Buffer.concat(updates.map(update => encodeDescriptor(guid(), Type.Qrp, 1, 0, encodeRouteTableUpdate(update))));
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
const rounded = (value: number): number => Math.round(value * 100) / 100;

/** Microseconds: median and 99th percentile. */
function timed(times: number, work: (n: number) => void, between = nothing): { usMedian: number; usP99: number } {
  const spans: number[] = [];
  for (let n = 0; n < times; n++) {
    const began = process.hrtime.bigint();
    work(n);
    spans.push(Number(process.hrtime.bigint() - began) / 1_000);
    if (n % 100 === 99) between();
  }
  const usMedian = median(spans);
  return { usMedian: rounded(usMedian), usP99: rounded(spans[Math.floor(times * 0.99)] ?? 0) };
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function memory(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

export async function run(): Promise<Record<string, unknown>> {
  let ms = 1;
  const clock = { now: () => ms, wallTime: () => ms };
  const overlay = bareOverlay(
    {
      clock,
      random: { below: () => 0, fill: target => randomFillSync(target), guid },
      limits: { queries: null, unionUpdateMs: 1 },
      sink: {
        onLinkEnded: (_link, code, text) => {
          throw new Error(`a link ended: ${code} ${text}`);
        },
      },
    },
    ms,
  );
  const linkTo = (role: 'leaf' | 'ultrapeer'): Link =>
    overlay.addLink(
      {
        endpoint: { host: '127.0.0.1', port: 7000 },
        direction: 'in',
        role,
        ourRole: 'ultrapeer',
        capabilities: {
          ...capabilitiesOf(new Headers([])),
          role,
          queryRouting: 0.1,
          ultrapeerQueryRouting: true,
          extProbes: true,
        },
        wire: { wake: nothing, close: nothing },
      },
      clock.now(),
    );
  const from = linkTo('ultrapeer');
  const later = (): void => {
    ms += 10;
    overlay.tick(ms);
  };
  const drain = (): void => {
    for (const { queue } of overlay.links.values()) while (queue.take(65_536) !== null);
  };

  const tables: QrpTable[] = [];
  const leaves: Link[] = [];
  let slotsSet = 0;
  for (let n = 0; n < LEAVES; n++) {
    const table = QrpTable.of(someWords(WORDS_OF_LEAF)).resized(SLOTS);
    slotsSet += table.count;
    tables.push(table);
  }
  const before = memory();
  for (const table of tables) {
    const leaf = linkTo('leaf');
    leaves.push(leaf);
    overlay.receive(leaf, tableFrames(null, table), clock.now());
  }
  drain();
  later();
  const bytesPerLeaf = Math.round((memory() - before) / LEAVES);

  const ask = (words: () => string[], ttl: number) => {
    const queries = Array.from({ length: QUERIES }, () =>
      encodeDescriptor(guid(), Type.Query, ttl, 1, encodeQuery({ text: words().join(' ') })),
    );
    const relayedBefore = overlay.counters.queriesRelayed;
    const spans = timed(QUERIES, n => overlay.receive(from, queries[n] ?? Buffer.alloc(0), clock.now()), drain);
    return { ...spans, leavesEach: rounded((overlay.counters.queriesRelayed - relayedBefore) / QUERIES) };
  };
  const typical = ask(() => someWords(3), 1);
  const nowhere = ask(() => ['certainly', `nowhere${Math.floor(chance() * 1e6)}`, anyWord()], 1);
  const popular = ask(() => [wordOf(0), wordOf(1), wordOf(2 + Math.floor(chance() * 5))], 1);
  const seven = ask(() => Array.from({ length: 7 }, (_, rank) => wordOf(rank + Math.floor(chance() * 3))), 1);

  // one other ultrapeer follows the union: its table is made and sent anew after each change
  drain();
  const peer = linkTo('ultrapeer');
  later();
  const changes = Array.from({ length: CHANGES }, (_, n) => {
    const table = tables[n] ?? new QrpTable(SLOTS);
    const after = table.resized(SLOTS);
    for (const word of someWords(5)) after.insertWord(word);
    return tableFrames(table, after);
  });
  const sentBefore = peer.queue.framesSent;
  const change = timed(CHANGES, n => {
    overlay.receive(leaves[n] ?? from, changes[n] ?? Buffer.alloc(0), clock.now());
    later();
    peer.queue.take(1 << 20);
  });
  return {
    leaves: LEAVES,
    slots: SLOTS,
    slotsSetEach: Math.round(slotsSet / LEAVES),
    typical,
    nowhere,
    popular,
    seven,
    changeAndUnion: change,
    unionMessages: peer.queue.framesSent - sentBefore,
    bytesPerLeaf,
    ...overlay.queryRouting,
  };
}
