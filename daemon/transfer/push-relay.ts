// We as a push proxy over HTTP: passes a push on to a neighbour for somebody who cannot reach it.
import { KeyedRateLimit, RateLimit } from '../../protocol/overlay/rate-limit.ts';
import type { Clock } from '../../protocol/ports.ts';
import { parsePushProxyQuery } from '../../protocol/transfer/push-proxy.ts';
import { canonicalHost, type Endpoint, endpointOrNull, reachOf } from '../../protocol/wire/endpoint.ts';
import type { Push } from '../../protocol/wire/push.ts';

/** Each makes a neighbour open a connection. */
const PER_ADDRESS = new RateLimit(6_000, 5);
const ADDRESSES_MAX = 4_096;

export interface PushRelayOptions {
  serventGuid: Buffer;
  /** Pushes for others are an ultrapeer's to pass on. */
  ultrapeer: () => boolean;
  /** On how many links it went out. */
  sendPush: (push: Push) => number;
  /** A push for ourselves. */
  onPush: (push: Push) => void;
  clock: Clock;
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
  answer(target: string, node: string | null, remoteHost: string): number {
    const { serventGuid, fileIndex, tls } = parsePushProxyQuery(target);
    const status = this.#pass(serventGuid, fileIndex, tls, endpointOrNull(node?.trim() ?? ''), remoteHost);
    if (status === 202) this.passed++;
    else this.refused++;
    return status;
  }

  #pass(serventGuid: Buffer, fileIndex: number, tls: boolean, node: Endpoint | null, remoteHost: string): number {
    const host = canonicalHost(remoteHost);
    // or anybody could have our neighbours connect to anybody
    if (node === null || host === null || node.host !== host || reachOf(host) === 'unusable') return 400;
    const { clock, ultrapeer, sendPush, onPush } = this.#options;
    if (!this.#rates.admit(host, clock.now())) return 503;
    const push: Push = { serventGuid, fileIndex, endpoint: node, ipv6: null, tls, ggep: [] };
    if (serventGuid.equals(this.#options.serventGuid)) {
      onPush(push);
      return 202;
    }
    return ultrapeer() && sendPush(push) > 0 ? 202 : 410;
  }
}
