// What the head of a request says about queues, and where its client listens.
import { canonicalHost, type Endpoint, endpointOrNull } from '../../../wire/endpoint.ts';
import { listOf, type RequestHead } from '../../http-head.ts';
import type { QueueLevel } from './queue-entry.ts';

/** PARQ is version 1 of X-Queue. Who sends an id back knows it, whatever version it says. */
export function queueLevelOf({ headers }: RequestHead): QueueLevel {
  if (headers.has('X-Queued')) return 'parq';
  const version = headers.get('X-Queue');
  if (version !== null) return /^\s*[1-9]/.test(version) ? 'parq' : 'active';
  return listOf(headers.get('X-Features')).some(feature => feature.startsWith('queue/')) ? 'active' : 'none';
}

/** The last three are older names of the first (gtk-gnutella). */
const NODE_HEADERS = ['X-Node', 'X-Listen-IP', 'Listen-Ip', 'Node'];

/** Null: not said, or an address that is not that of the client itself: we connect to nobody whom somebody else names. */
export function nodeOf({ headers }: RequestHead, address: string): Endpoint | null {
  for (const name of NODE_HEADERS) {
    const text = headers.get(name);
    if (text === null) continue;
    const node = endpointOrNull(text.trim());
    return node !== null && node.port > 0 && node.host === canonicalHost(address) ? node : null;
  }
  return null;
}
