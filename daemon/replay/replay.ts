// Asks a servent recorded queries again, at the times that they were recorded at or faster, and counts what is answered.
import { setTimeout as wait } from 'node:timers/promises';
import type { RecordedQuery } from '../../measure/workload.ts';
import { NETWORK_RULES, type Profile } from '../../protocol/network-rules.ts';
import { ReachPolicy } from '../../protocol/overlay/reach/reach-policy.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import { Dialer } from '../net/dialer.ts';
import { SystemRandom } from '../system.ts';
import { ReplayLink } from './replay-link.ts';

export interface ReplayOptions {
  readonly to: Endpoint;
  readonly profile: Profile;
  readonly userAgent: string;
  /** 2: twice as fast as recorded. */
  readonly speed: number;
  /** Waited for hits after the last query. */
  readonly waitMs: number;
}

export interface Replayed {
  readonly sent: number;
  readonly answered: number;
  /** Files in all hits. */
  readonly files: number;
  /** Not sent, by reason. */
  readonly unsent: Readonly<Record<string, number>>;
  /** Seconds from the first query to the last. */
  readonly seconds: number;
}

/** Longest single wait: a recording may claim to span years, and timers count 24 days. */
const PAUSE_MS = 3_600_000;

/** Rejects with ReplayError, DialError. An abort of `signal` ends it early, with what there is. */
export async function replay(
  queries: readonly RecordedQuery[],
  { to, profile, userAgent, speed, waitMs }: ReplayOptions,
  signal: AbortSignal,
  onSent: (sent: number) => void,
): Promise<Replayed> {
  const reach = new ReachPolicy(NETWORK_RULES[profile]);
  const dialer = new Dialer({ forbids: endpoint => reach.forbids(endpoint) });
  const link = await ReplayLink.open(dialer, to, userAgent, new SystemRandom());
  const unsent: Record<string, number> = {};
  const over = new AbortController();
  link.onEnded = () => over.abort();
  const either = AbortSignal.any([signal, over.signal]);
  const pause = (ms: number): Promise<void> =>
    wait(ms, undefined, { signal: either }).catch(error => {
      if (!either.aborted) throw error;
    });
  const began = performance.now();
  let sent = 0;
  let lastAt = began;
  try {
    for (const [i, { at, text }] of queries.entries()) {
      const due = began + at / speed;
      while (due - performance.now() > 1 && !either.aborted) await pause(Math.min(due - performance.now(), PAUSE_MS));
      if (either.aborted) {
        unsent[signal.aborted ? 'ended' : (link.ended ?? 'ended')] = queries.length - i;
        break;
      }
      if (!link.ask(text)) unsent['the servent does not read'] = (unsent['the servent does not read'] ?? 0) + 1;
      else sent++;
      lastAt = performance.now();
      onSent(sent);
    }
    if (sent > 0) await pause(waitMs);
    return { sent, answered: link.answered, files: link.files, unsent, seconds: (lastAt - began) / 1000 };
  } finally {
    link.close();
  }
}
