// The core in process: bytes of unique queries in on one of 8 links, routed, bytes out on the 7 others.
import { randomFillSync } from 'node:crypto';
import { type Capabilities, capabilitiesOf } from '../protocol/handshake/capabilities.ts';
import { Headers } from '../protocol/handshake/header-block.ts';
import { encodeDescriptor } from '../protocol/wire/header.ts';
import { encodeQuery } from '../protocol/wire/query.ts';
import { bareOverlay } from '../test/support/bare-overlay.ts';

export const about = 'routing: descriptors forwarded per second, 8 links, in process, one core';

const LINKS = 8;
const FRAMES_PER_CHUNK = 20;
const CHUNKS = 1_000;
const ROUNDS = 30;
const WORDS = ['linux', 'debian', 'netinst', 'iso', 'beethoven', 'symphony', 'jazz', 'live', 'documentary', 'readme'];

const capabilities: Capabilities = {
  ...capabilitiesOf(new Headers([])),
  role: 'ultrapeer',
  dynamicQuerying: true,
  degree: 32,
  maxTtl: 4,
  extProbes: true,
  pongCaching: true,
  ggep: true,
  vendorMessages: true,
  bye: true,
};

const nothing = (): void => undefined;

/** Queries of 60 to 90 bytes; their GUIDs are made fresh for each round. */
function chunks(): Buffer[] {
  return Array.from({ length: CHUNKS }, (_, n) => {
    const frames: Buffer[] = [];
    for (let i = 0; i < FRAMES_PER_CHUNK; i++) {
      const words = [0, 1, 2, 3, 4, 5, 6].map(w => WORDS[(n * 7 + i * 3 + w) % WORDS.length]).slice(0, 5 + (i % 3));
      frames.push(encodeDescriptor(Buffer.alloc(16), 0x80, 3, 1, encodeQuery({ text: words.join(' ') })));
    }
    return Buffer.concat(frames);
  });
}

function renew(chunk: Buffer): void {
  for (let at = 0; at < chunk.length; at += 23 + chunk.readUInt32LE(at + 19)) randomFillSync(chunk, at, 16);
}

export async function run(): Promise<Record<string, unknown>> {
  let ms = 0;
  const clock = { now: () => ms, wallTime: () => ms };
  const overlay = bareOverlay(
    {
      clock,
      random: { below: () => 0, fill: target => randomFillSync(target), guid: () => randomFillSync(Buffer.alloc(16)) },
    },
    ms,
  );
  let bytesOut = 0;
  const links = Array.from({ length: LINKS }, (_, i) =>
    overlay.addLink(
      {
        endpoint: { host: '127.0.0.1', port: 7000 + i },
        direction: 'in',
        role: 'ultrapeer',
        ourRole: 'ultrapeer',
        capabilities,
        wire: { wake: nothing, close: nothing },
      },
      clock.now(),
    ),
  );
  const drain = (): void => {
    for (const { queue } of links) {
      for (let bytes = queue.take(65_536); bytes !== null; bytes = queue.take(65_536)) bytesOut += bytes.length;
    }
  };
  drain(); // the pings of the start
  const input = chunks();
  const [from] = links;
  if (from === undefined) throw new Error('no link');

  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const chunk of input) renew(chunk);
    const before = overlay.counters.queriesRelayed;
    const began = process.hrtime.bigint();
    for (const chunk of input) {
      overlay.receive(from, chunk, clock.now());
      drain();
    }
    const ns = Number(process.hrtime.bigint() - began);
    ms += ns / 1e6;
    rates.push(((overlay.counters.queriesRelayed - before) / ns) * 1e9);
  }
  const relayed = overlay.counters.queriesRelayed;
  const expected = ROUNDS * CHUNKS * FRAMES_PER_CHUNK * (LINKS - 1);
  if (relayed !== expected) throw new Error(`${relayed} forwarded instead of ${expected}`);
  rates.sort((a, b) => a - b);
  const median = rates[Math.floor(rates.length / 2)] ?? 0;
  return {
    links: LINKS,
    queriesIn: relayed / (LINKS - 1),
    forwarded: relayed,
    bytesOut,
    forwardedPerSecond: Math.round(median),
    forwardedPerSecondBest: Math.round(rates.at(-1) ?? 0),
    inPerSecond: Math.round(median / (LINKS - 1)),
    nsPerForwarded: Math.round(1e10 / median) / 10,
    nsPerQueryIn: Math.round((1e10 * (LINKS - 1)) / median) / 10,
    routeTableBytes: overlay.routeTables.bytes,
  };
}
