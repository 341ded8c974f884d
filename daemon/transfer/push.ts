// Pushes for us: somebody whom we would have to let in asks us to come. We connect, say GIV, and serve files there.
import type { Socket } from 'node:net';
import { KeyedRateLimit, RateLimit } from '../../protocol/overlay/rate-limit.ts';
import { TimedKeys } from '../../protocol/overlay/timed-keys.ts';
import type { Clock } from '../../protocol/ports.ts';
import { encodeGiv } from '../../protocol/transfer/giv.ts';
import { type Endpoint, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { FIREWALL_TO_FIREWALL_INDEX, type Push } from '../../protocol/wire/push.ts';
import type { Log } from '../log.ts';
import { DialError } from '../net/dialer.ts';
import { Tally } from '../net/tally.ts';

/** gtk-gnutella connects to one address five times in 30 seconds, LimeWire as often. */
const PER_ADDRESS = new RateLimit(6_000, 5);
/** To all together: each costs a connection. */
const ALL = new RateLimit(200, 50);
const ADDRESSES_MAX = 4_096;
/** Who could not be reached is not tried again so soon (gtk-gnutella). */
const UNREACHABLE_MS = 500_000;
const UNDER_WAY_MAX = 32;
const CONNECT_MS = 10_000;

export const PUSH_OUTCOMES = [
  'served',
  'unreachable',
  /** Too often from one address, or from all. */
  'rate',
  'forbidden',
  /** It could not be reached a while ago. */
  'remembered',
  /** By UDP between two firewalled servents, which we do not do. */
  'firewall_to_firewall',
  'crowded',
] as const;
export type PushOutcome = (typeof PUSH_OUTCOMES)[number];

export interface PushAnswererOptions {
  serventGuid: Buffer;
  dial: (endpoint: Endpoint, signal: AbortSignal) => Promise<Socket>;
  /** Why an endpoint must not be dialled, or null. */
  forbids: (endpoint: Endpoint) => string | null;
  /** The file server: takes over a socket of our own making. */
  serve: (socket: Socket, head: Buffer) => void;
  /** Many servents share one address, as in a lab. */
  byPort: boolean;
  clock: Clock;
  log: Log;
}

export class PushAnswerer {
  readonly outcomes = new Tally<PushOutcome>(PUSH_OUTCOMES);
  readonly #options: PushAnswererOptions;
  readonly #rates = new KeyedRateLimit(PER_ADDRESS, ADDRESSES_MAX);
  readonly #unreachable: TimedKeys;
  readonly #abort = new AbortController();
  #allDue = 0;
  #underWay = 0;

  constructor(options: PushAnswererOptions) {
    this.#options = options;
    this.#unreachable = new TimedKeys(UNREACHABLE_MS, ADDRESSES_MAX, options.clock.now());
  }

  /** Comes back at once; what becomes of it is in `outcomes`. */
  onPush(push: Push): void {
    const refusal = this.#refusalOf(push);
    if (refusal !== null) {
      this.outcomes.count(refusal);
      return;
    }
    this.#underWay++;
    this.#answer(push.endpoint).then(
      outcome => {
        this.#underWay--;
        this.outcomes.count(outcome);
      },
      (err: unknown) => {
        this.#underWay--;
        this.#options.log.error({ err }, 'answering a push failed unexpectedly');
      },
    );
  }

  #refusalOf({ endpoint, fileIndex }: Push): PushOutcome | null {
    const { clock, forbids, byPort } = this.#options;
    const now = clock.now();
    if (fileIndex === FIREWALL_TO_FIREWALL_INDEX) return 'firewall_to_firewall';
    if (this.#abort.signal.aborted || this.#underWay >= UNDER_WAY_MAX) return 'crowded';
    if (forbids(endpoint) !== null) return 'forbidden';
    if (this.#unreachable.has(formatEndpoint(endpoint), now)) return 'remembered';
    if (!this.#rates.admit(byPort ? formatEndpoint(endpoint) : endpoint.host, now)) return 'rate';
    const due = ALL.admit(this.#allDue, now);
    if (due < 0) return 'rate';
    this.#allDue = due;
    return null;
  }

  async #answer(endpoint: Endpoint): Promise<PushOutcome> {
    const { dial, serve, serventGuid, clock, log } = this.#options;
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(CONNECT_MS)]);
    try {
      const socket = await dial(endpoint, signal);
      socket.write(encodeGiv(serventGuid));
      serve(socket, Buffer.alloc(0));
      return 'served';
    } catch (error) {
      if (!(error instanceof DialError)) throw error;
      if (!this.#abort.signal.aborted) this.#unreachable.add(formatEndpoint(endpoint), clock.now());
      log.debug({ peer: formatEndpoint(endpoint), code: error.code }, 'a push came from where nobody can be reached');
      return 'unreachable';
    }
  }

  /** Gives up what is under way; sockets that are served are the file server's. */
  stop(): void {
    this.#abort.abort();
  }
}
