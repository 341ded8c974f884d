// What a node of the DHT has received, sent and dropped.
import { ReasonCounts } from '../reason-counts.ts';
import type { DhtMessage } from './dht-message.ts';
import { DOUBTS } from './lookup.ts';
import { LOOKUP_ENDS, type LookupEnd, type LookupKind, type LookupResult } from './lookup-result.ts';
import { StoreCode } from './store-status.ts';

/** Why a datagram had no effect or no answer. */
export const DHT_DROPS = [
  'off',
  'passive',
  'address',
  'malformed',
  'obsolete',
  'own_kuid',
  'unasked',
  'late',
  'too_often',
  'too_long',
  'token',
  'stormed',
] as const;
export type DhtDrop = (typeof DHT_DROPS)[number];

const KINDS: readonly DhtMessage['kind'][] = [
  'ping',
  'pong',
  'store',
  'storeAck',
  'findNode',
  'foundNode',
  'findValue',
  'value',
];

/** Why a STORE was not kept, or `ok`; `silent`: nothing came back. */
export const STORE_ENDS = [
  'ok',
  'error',
  'full',
  'loaded',
  'full_and_loaded',
  'too_large',
  'exhausted',
  'bad_creator',
  'bad_value',
  'bad_type',
  'quota',
  'data_mismatch',
  'bad_token',
  'expired',
  'database_fault',
  'unknown',
  'silent',
] as const;
export type StoreEnd = (typeof STORE_ENDS)[number];

/** Of removals of own values: the node said so; it said nothing, after some tries; too many waited, and the value expires where it is. */
export const REMOVAL_ENDS = ['removed', 'silent', 'left_out'] as const;
export type RemovalEnd = (typeof REMOVAL_ENDS)[number];

/** Of lookups of one kind. */
export interface LookupCounters {
  readonly ends: ReasonCounts<LookupEnd>;
  hops: number;
  requests: number;
  ms: number;
}

export class DhtCounters {
  readonly received = new ReasonCounts(KINDS);
  readonly sent = new ReasonCounts(KINDS);
  readonly dropped = new ReasonCounts(DHT_DROPS);
  /** Values that we asked others to keep, and that others asked us to keep. */
  readonly storesOut = new ReasonCounts(STORE_ENDS);
  readonly storesIn = new ReasonCounts(STORE_ENDS);
  readonly removals = new ReasonCounts(REMOVAL_ENDS);
  /** Contacts that lookups were told of and did not ask. */
  readonly doubts = new ReasonCounts(DOUBTS);
  readonly lookups: Readonly<Record<LookupKind, LookupCounters>> = {
    node: none(),
    value: none(),
    publish: none(),
    refresh: none(),
  };
  bytesIn = 0;
  bytesOut = 0;
  /** New KUIDs, because another node had ours. */
  kuidChanges = 0;
  /** Requests that were not answered. */
  silences = 0;

  countLookup({ kind, end, hops, asked, ms, doubts }: LookupResult): void {
    const counters = this.lookups[kind];
    counters.ends.count(end);
    counters.hops += hops;
    counters.requests += asked;
    counters.ms += ms;
    for (const doubt of DOUBTS) this.doubts.count(doubt, doubts.of(doubt));
  }
}

function none(): LookupCounters {
  return { ends: new ReasonCounts(LOOKUP_ENDS), hops: 0, requests: 0, ms: 0 };
}

/** Codes count from 1. */
export function storeEnd(code: number): StoreEnd {
  return code >= 1 && code <= StoreCode.DatabaseFault ? (STORE_ENDS[code - 1] as StoreEnd) : 'unknown';
}
