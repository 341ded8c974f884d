// Dials peers that asked for a connect-back test, sends two newlines and closes.
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Log } from '../log.ts';
import { DialError, type Dialer } from './dialer.ts';

/** Most tests at a time; more are dropped. The core limits their rate. */
const PROBES_MAX = 8;
const PROBE_MS = 5_000;
/** What gtk-gnutella writes. */
const GREETING = '\n\n';

export class ConnectBackProbes {
  readonly #dialer: Dialer;
  readonly #log: Log;
  readonly #abort = new AbortController();
  #underWay = 0;
  /** Count of successful tests, and of failed ones. */
  reached = 0;
  failed = 0;

  constructor(dialer: Dialer, log: Log) {
    this.#dialer = dialer;
    this.#log = log;
  }

  probe(to: Endpoint): void {
    if (this.#underWay >= PROBES_MAX || this.#abort.signal.aborted) return;
    this.#underWay++;
    this.#probe(to).then(
      () => this.#underWay--,
      (err: unknown) => {
        this.#underWay--;
        this.#log.error({ err }, 'a connect-back failed unexpectedly');
      },
    );
  }

  async #probe(to: Endpoint): Promise<void> {
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(PROBE_MS)]);
    try {
      const socket = await this.#dialer.dial(to, signal);
      this.reached++;
      socket.resume();
      socket.setTimeout(PROBE_MS, () => socket.destroy());
      socket.end(GREETING);
    } catch (error) {
      if (!(error instanceof DialError)) throw error;
      this.failed++;
      this.#log.debug(
        { peer: formatEndpoint(to), code: error.code },
        'a connect-back test failed: the neighbour cannot be reached',
      );
    }
  }

  stop(): void {
    this.#abort.abort();
  }
}
