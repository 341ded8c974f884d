// Push proxy over HTTP: passes a push on to a neighbour for a host that cannot connect to it.

import { KeyedRateLimit, RateLimit } from '../../rate-limit.ts';
import { ReasonCounts } from '../../reason-counts.ts';
import { type PushProxyQuery, parsePushProxyQuery } from '../../transfer/push-proxy.ts';
import { subjectOf } from '../../transfer/uploads/conduct/subject.ts';
import { canonicalHost, type Endpoint, endpointOrNull, reachOf } from '../../wire/endpoint.ts';
import type { Push } from '../../wire/push.ts';
import type { Identity } from '../identity.ts';

/** Each makes a neighbour open a connection. */
const PER_ADDRESS = new RateLimit(6_000, 5);
const ADDRESSES_MAX = 4_096;

export const RELAY_OUTCOMES = [
  'neighbour',
  'routed',
  'ourselves',
  /** No address of the asker's own. */
  'address',
  /** Nobody here by that GUID. */
  'unknown',
  /** Too often from one address. */
  'rate',
] as const;
export type RelayOutcome = (typeof RELAY_OUTCOMES)[number];

const STATUS: Record<RelayOutcome, number> = {
  neighbour: 202,
  routed: 203,
  ourselves: 202,
  address: 400,
  unknown: 410,
  rate: 503,
};

export interface PushRelayOptions {
  /** Pushes for others are an ultrapeer's to pass on. */
  readonly identity: Pick<Identity, 'serventGuid' | 'ultrapeer'>;
  /** Whether a link leads to the servent of this GUID itself. */
  readonly isNeighbour: (guid: Buffer) => boolean;
  /** On how many links it went out. */
  readonly sendPush: (push: Push, now: number) => number;
  /** A push for ourselves. */
  readonly onPush: (push: Push, now: number) => void;
}

export class PushRelay {
  readonly #options: PushRelayOptions;
  readonly #rates = new KeyedRateLimit(PER_ADDRESS, ADDRESSES_MAX);
  readonly outcomes = new ReasonCounts<RelayOutcome>(RELAY_OUTCOMES);

  constructor(options: PushRelayOptions) {
    this.#options = options;
  }

  /**
   * `nodes`: X-Node and X-Node-IPv6. The status to answer with: 202 to a neighbour, 203 along the way of hits, 400 no address of the asker's own among them,
   * 410 nobody here by that GUID, 503 too often. Throws HTTP_MALFORMED for a target that makes no sense.
   */
  answer(target: string, nodes: readonly (string | null)[], remoteHost: string, now: number): number {
    const query = parsePushProxyQuery(target);
    // the address by which it comes is its own for certain; the other one of two is not passed on
    const host = canonicalHost(remoteHost);
    const named = nodes.map(text => endpointOrNull(text?.trim() ?? ''));
    const own = named.find(each => each !== null && each.host === host) ?? null;
    const outcome = this.#pass(query, own, now);
    this.outcomes.count(outcome);
    return STATUS[outcome];
  }

  get passed(): number {
    return this.outcomes.of('neighbour') + this.outcomes.of('routed') + this.outcomes.of('ourselves');
  }

  #pass({ serventGuid, fileIndex, tls }: PushProxyQuery, node: Endpoint | null, now: number): RelayOutcome {
    // or anybody could have our neighbours connect to anybody
    if (node === null || reachOf(node.host) === 'unusable') return 'address';
    const { identity, isNeighbour, sendPush, onPush } = this.#options;
    if (!this.#rates.admit(subjectOf(node.host) ?? node.host, now)) return 'rate';
    const push: Push = { serventGuid, fileIndex, endpoint: node, ipv6: null, tls, ggep: [] };
    if (serventGuid.equals(identity.serventGuid)) {
      onPush(push, now);
      return 'ourselves';
    }
    if (!identity.ultrapeer || sendPush(push, now) === 0) return 'unknown';
    return isNeighbour(serventGuid) ? 'neighbour' : 'routed';
  }
}
