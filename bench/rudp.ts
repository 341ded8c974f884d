// Reliable UDP: a stream between two processes over loopback, and over a link of 20 Mbit/s with 80 ms and 1 % loss, in virtual and in real time.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PathConditions, PERFECT_PATH, RudpPath } from '../test/support/rudp-path.ts';
import { startRelay } from './rudp/relay.ts';
import { startSide } from './rudp/side.ts';

export const about = 'reliable UDP: a stream over loopback, and over a link with delay and loss';

const LOOPBACK_BYTES = 256 << 20;
const LINK_BYTES = 20 << 20;
const LIMEWIRE_BYTES = 2 << 20;
/** 20 Mbit/s, 80 ms there and back, a queue of 80 ms. */
const LINK = { delayMs: 40, rate: 2_500, queueBytes: 200_000, loss: 0.01 } as const;
const TCP_SEGMENT_BYTES = 1_448;

interface Run {
  readonly megabytesPerSecond: number;
  readonly cpuMsPerMegabyte: number;
}

/** Sends from another process to this one, directly or through a relay. */
async function transfer(bytes: number, link: typeof LINK | null): Promise<Run> {
  const side = await startSide();
  const sender = fork(fileURLToPath(new URL(`./rudp/sender${extname(import.meta.url)}`, import.meta.url)));
  const [{ port }] = (await once(sender, 'message')) as [{ port: number }];
  const relay = link === null ? null : await startRelay(link);
  relay?.between([side.endpoint.port, port]);
  const [there, back] = relay === null ? [port, side.endpoint.port] : relay.ports;
  sender.send({ port: back, bytes });
  const socket = await side.dialer.dial({ host: '127.0.0.1', port: there }, 'requestor');
  const begun = performance.now();
  const cpu = process.cpuUsage();
  let received = 0;
  socket.on('data', (piece: Buffer) => {
    received += piece.length;
  });
  socket.end();
  await once(socket, 'end');
  const ms = performance.now() - begun;
  const { user, system } = process.cpuUsage(cpu);
  const [{ cpuMs }] = (await once(sender, 'message')) as [{ cpuMs: number }];
  sender.send({});
  await once(sender, 'exit');
  relay?.stop();
  await side.stop();
  if (received !== bytes) throw new Error(`${received} of ${bytes} bytes came`);
  return {
    megabytesPerSecond: bytes / ms / 1_000,
    cpuMsPerMegabyte: ((user + system) / 1_000 + cpuMs) / (bytes / 1e6),
  };
}

/** Bytes a millisecond in virtual time. */
function virtually(bytes: number, conditions: Partial<PathConditions>, extended: boolean): number {
  const path = new RudpPath(11, { ...PERFECT_PATH, ...conditions }, [extended, extended]);
  path.a.keeps = false;
  path.a.ends = extended;
  path.open();
  path.b.give(Buffer.alloc(bytes));
  if (extended) path.a.give(Buffer.alloc(0));
  path.run(1_000_000, () => path.a.receivedBytes === bytes);
  return bytes / (path.now - (path.a.connectedAt ?? 0));
}

const rounded = (value: number) => Math.round(value * 1_000) / 1_000;

export async function run(): Promise<Record<string, unknown>> {
  const loopback = await transfer(LOOPBACK_BYTES, null);
  const relayed = await transfer(LINK_BYTES, LINK);
  const virtual = virtually(LINK_BYTES, LINK, true);
  const lossless = virtually(LINK_BYTES, { ...LINK, loss: 0 }, true);
  const limeWire = virtually(LIMEWIRE_BYTES, LINK, false);
  // Mathis, Semke, Mahdavi and Ott: the rate of a TCP of Reno's kind under random loss
  const reno = (TCP_SEGMENT_BYTES / (2 * LINK.delayMs)) * Math.sqrt(1.5 / LINK.loss);
  return {
    loopbackMegabytesPerSecond: rounded(loopback.megabytesPerSecond),
    loopbackCpuMsPerMegabyte: rounded(loopback.cpuMsPerMegabyte),
    linkShare: rounded(virtual / LINK.rate),
    linkShareRealTime: rounded((relayed.megabytesPerSecond * 1_000) / LINK.rate),
    linkShareWithoutLoss: rounded(lossless / LINK.rate),
    linkShareLimeWire: rounded(limeWire / LINK.rate),
    linkShareRenoByFormula: rounded(reno / LINK.rate),
  };
}
