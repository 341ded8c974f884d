// Hosts come and go: sessions are log-normal, as measured on Gnutella, and so are the pauses between them.
import type { SeededRandom } from '../seeded-random.ts';
import type { VirtualHost } from './virtual-host.ts';
import type { VirtualInternet } from './virtual-internet.ts';

export interface ChurnOptions {
  /** Seconds. */
  readonly sessionMedian: number;
  readonly pauseMedian: number;
  /** Sigma of the logarithm of both. */
  readonly sigma: number;
  /** Share of the sessions that end without a word. */
  readonly crashes: number;
}

export const CHURN: ChurnOptions = { sessionMedian: 600, pauseMedian: 120, sigma: 1.2, crashes: 0.5 };

/** `back` is called when a host is up again and knows nobody. */
export function churn(
  internet: VirtualInternet,
  hosts: readonly VirtualHost[],
  { sessionMedian, pauseMedian, sigma, crashes }: ChurnOptions,
  random: SeededRandom,
  back: (host: VirtualHost) => void,
): void {
  const session = (host: VirtualHost): void =>
    internet.later(1000 * random.logNormal(sessionMedian, sigma), () => {
      if (host.up) {
        if (random.chance(crashes)) host.kill();
        else host.leave();
      }
      // leave() takes some seconds
      internet.later(10_000 + 1000 * random.logNormal(pauseMedian, sigma), () => {
        host.revive();
        back(host);
        session(host);
      });
    });
  for (const host of hosts) session(host);
}
