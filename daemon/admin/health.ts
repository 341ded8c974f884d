// How the daemon is: what it knows to be wrong, what it finds when it looks, and whether it is ready.

import type { DoctorView, ReadyView } from '../../api/control.ts';
import type { BootstrapReport } from '../../protocol/bootstrap/bootstrap-plan.ts';
import type { HostCache } from '../../protocol/overlay/host-cache.ts';
import type { Clock } from '../../protocol/ports.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import { bootstrapView } from '../bootstrap/bootstrap-view.ts';
import { attention } from '../doctor/attention.ts';
import type { Finding } from '../doctor/surroundings.ts';
import type { Hooks } from '../hooks/hooks.ts';
import type { Library } from '../library/library.ts';
import { type Log, logOutput } from '../log.ts';
import type { BlockListFault } from '../net/block-lists.ts';
import type { Listener } from '../net/listener.ts';
import type { DatagramSide } from '../overlay/datagram-side.ts';
import type { ServentIdentity } from '../overlay/identity.ts';
import type { Neighbours } from '../overlay/neighbours.ts';
import type { LiveSettings } from '../settings/live.ts';
import type { Downloads } from '../transfer/downloads.ts';
import { keptView } from './control-views.ts';

export interface HealthParts {
  live: LiveSettings;
  log: Log;
  clock: Clock;
  gnutella: Endpoint;
  identity: ServentIdentity;
  beside: DatagramSide;
  neighbours: Neighbours;
  hosts: HostCache;
  library: Library;
  downloads: Downloads;
  hooks: Hooks;
  listener: Listener;
  /** Null until the daemon has joined. */
  bootstrap: () => BootstrapReport | null;
  damagedAside: string | null;
  blockListFaults: () => readonly BlockListFault[];
  eventsTrouble: () => string | null;
}

export class Health {
  readonly #parts: HealthParts;
  /** The clock against the time that passes, as they were at first. */
  readonly #clockAhead: number;

  constructor(parts: HealthParts) {
    this.#parts = parts;
    this.#clockAhead = this.#ahead();
  }

  attention(): Finding[] {
    const { live, log, gnutella, beside, library, downloads, hooks, damagedAside } = this.#parts;
    const { settings } = live;
    return attention({
      ...{ settings, damagedAside },
      waiting: live.waiting,
      folders: library.folders(),
      blockListFaults: this.#parts.blockListFaults(),
      lostParts: downloads.lost,
      hooks: hooks.list(),
      eventsTrouble: this.#parts.eventsTrouble(),
      logTrouble: logOutput(log).trouble,
      port: gnutella.port,
      udpTaken: settings.gnutella.udp && !beside.open,
      clockMovedMs: this.#ahead() - this.#clockAhead,
    });
  }

  async doctor(): Promise<DoctorView> {
    const { live, clock, gnutella, identity, beside, neighbours, hosts, library, downloads } = this.#parts;
    const { examine } = await import('../doctor/examine.ts');
    const { leaves, ultrapeers } = neighbours.counts;
    await downloads.lookForLost();
    const findings = await examine({
      settings: live.settings,
      nowMs: clock.wallTime(),
      gnutella,
      listen: identity.listen(),
      ipv6: identity.ipv6(),
      udpOpen: beside.open,
      reach: beside.firewall.account(clock.now()),
      peers: leaves + ultrapeers,
      hosts: hosts.size,
      bootstrap: bootstrapView(this.#parts.bootstrap(), clock.wallTime()),
      kept: neighbours.kept.map(kept => keptView(kept, clock.now())),
      folders: library.folders(),
      damagedAside: this.#parts.damagedAside,
      attention: this.attention(),
    });
    return { ok: findings.every(({ state }) => state !== 'bad'), findings };
  }

  ready(): ReadyView {
    const { library, listener } = this.#parts;
    const unreadable = library.folders().filter(({ state }) => state === 'failed');
    const checks = [
      { name: 'gnutella', ok: listener.listening, detail: null },
      {
        name: 'library',
        ok: true, // an unreadable folder is a person's to mend; the servent works without it
        detail: unreadable.length === 0 ? null : unreadable.map(({ path, error }) => `${path}: ${error}`).join('; '),
      },
    ];
    return { status: checks.every(({ ok }) => ok) ? 'ok' : 'unavailable', checks };
  }

  #ahead(): number {
    const { clock } = this.#parts;
    return clock.wallTime() - clock.now();
  }
}
