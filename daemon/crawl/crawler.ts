// Runs a crawl with sockets: sends the questions that protocol/crawl gives, at its pace, and hands back what comes.
import { setTimeout as wait } from 'node:timers/promises';
import type { Ask, Crawl, Outcome } from '../../protocol/crawl/crawl.ts';
import type { Way } from '../../protocol/crawl/crawl-report.ts';
import { reachOf } from '../../protocol/wire/endpoint.ts';
import { Dialer } from '../net/dialer.ts';
import { WayOut } from '../net/way-out.ts';
import { SystemClock, SystemRandom } from '../system.ts';
import { askByTcp } from './tcp-asks.ts';
import { UdpAsks } from './udp-asks.ts';

export interface CrawlerOptions {
  readonly ways: readonly Way[];
  readonly parallelMax: number;
  readonly userAgent: string;
  /** Local address of all that is sent; null: the system chooses. */
  readonly from: string | null;
  readonly connectMs?: number;
  readonly answerMs?: number;
}

/** How often `onProgress` is called, and visits are kept. */
const PROGRESS_MS = 5_000;

/** Resolves when nobody is left to ask, or soon after `signal` is aborted. */
export async function runCrawl(
  crawl: Crawl,
  options: CrawlerOptions,
  signal: AbortSignal,
  onProgress: () => Promise<void>,
): Promise<void> {
  const clock = new SystemClock();
  const { ways, parallelMax, userAgent, from, answerMs } = options;
  const way = new WayOut();
  // on loopback the system chooses, for IPv6 too
  if (from !== null && reachOf(from) !== 'loopback') way.open(from);
  const connectMs = options.connectMs ?? 8_000;
  const dialer = new Dialer({ forbids: endpoint => crawl.forbids(endpoint), way, parallelMax, connectMs });
  const udp = ways.includes('udp') ? await UdpAsks.open(from, new SystemRandom(), answerMs) : null;
  const ended = new AbortController();
  let wake = (): void => undefined;
  const stop = (): void => {
    crawl.stop();
    ended.abort();
    wake();
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const ask = (question: Ask): Promise<Outcome> =>
    question.way === 'tcp'
      ? askByTcp(dialer, question.endpoint, userAgent, ended.signal, answerMs)
      : (udp?.ask(question.endpoint, ended.signal) ?? Promise.resolve({ kind: 'silent', why: 'no UDP' }));
  const failures: unknown[] = [];
  try {
    for (let toldAt = clock.now(); !crawl.over && failures.length === 0; ) {
      for (let next = crawl.next(clock.now(), clock.wallTime()); next !== null; ) {
        const question = next;
        ask(question)
          .then(outcome => crawl.heard(question, outcome, clock.now(), clock.wallTime()))
          .catch(error => failures.push(error))
          .finally(() => wake());
        next = crawl.next(clock.now(), clock.wallTime());
      }
      if (crawl.over) break;
      const now = clock.now();
      const until = Math.min(crawl.deadline(now) ?? Number.POSITIVE_INFINITY, toldAt + PROGRESS_MS);
      await nap(Math.max(0, Math.ceil(until - now)), cut => {
        wake = cut;
      });
      if (clock.now() - toldAt < PROGRESS_MS) continue;
      toldAt = clock.now();
      await onProgress();
    }
  } finally {
    signal.removeEventListener('abort', stop);
    ended.abort();
    udp?.close();
  }
  if (failures.length > 0) throw failures[0];
}

/** Resolves after so long, or when what `wakeable` is given is called. */
function nap(ms: number, wakeable: (wake: () => void) => void): Promise<void> {
  const cut = new AbortController();
  wakeable(() => cut.abort());
  return wait(ms, undefined, { signal: cut.signal }).catch(error => {
    if (!cut.signal.aborted) throw error;
  });
}
