// Push proxy over HTTP: passes a push on to a neighbour for a host that cannot connect to it.

import { parsePushProxyQuery } from '../../transfer/push-proxy.ts';
import { canonicalHost, type Endpoint, endpointOrNull, reachOf } from '../../wire/endpoint.ts';
import type { Push } from '../../wire/push.ts';
import type { Identity } from '../identity.ts';
import { KeyedRateLimit, RateLimit } from '../rate-limit.ts';

/** Each makes a neighbour open a connection. */
const PER_ADDRESS = new RateLimit(6_000, 5);
const ADDRESSES_MAX = 4_096;

export interface PushRelayOptions {
  /** Pushes for others are an ultrapeer's to pass on. */
  readonly identity: Pick<Identity, 'serventGuid' | 'ultrapeer'>;
  /** On how many links it went out. */
  readonly sendPush: (push: Push, now: number) => number;
  /** A push for ourselves. */
  readonly onPush: (push: Push, now: number) => void;
}

export class PushRelay {
  readonly #options: PushRelayOptions;
  readonly #rates = new KeyedRateLimit(PER_ADDRESS, ADDRESSES_MAX);
  passed = 0;
  refused = 0;

  constructor(options: PushRelayOptions) {
    this.#options = options;
  }

  /**
   * The status to answer with: 202 passed on, 400 no address of the asker's own in X-Node, 410 nobody here by that
   * GUID, 503 too often. Throws HTTP_MALFORMED for a target that makes no sense.
   */
  answer(target: string, node: string | null, remoteHost: string, now: number): number {
    const { serventGuid, fileIndex, tls } = parsePushProxyQuery(target);
    const status = this.#pass(serventGuid, fileIndex, tls, endpointOrNull(node?.trim() ?? ''), remoteHost, now);
    if (status === 202) this.passed++;
    else this.refused++;
    return status;
  }

  #pass(
    serventGuid: Buffer,
    fileIndex: number,
    tls: boolean,
    node: Endpoint | null,
    remoteHost: string,
    now: number,
  ): number {
    const host = canonicalHost(remoteHost);
    // or anybody could have our neighbours connect to anybody
    if (node === null || host === null || node.host !== host || reachOf(host) === 'unusable') return 400;
    const { identity, sendPush, onPush } = this.#options;
    if (!this.#rates.admit(host, now)) return 503;
    const push: Push = { serventGuid, fileIndex, endpoint: node, ipv6: null, tls, ggep: [] };
    if (serventGuid.equals(identity.serventGuid)) {
      onPush(push, now);
      return 202;
    }
    return identity.ultrapeer && sendPush(push, now) > 0 ? 202 : 410;
  }
}
