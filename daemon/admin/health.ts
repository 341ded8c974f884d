// Reports the health of the daemon: known problems, the doctor's checks, readiness.
import { networkInterfaces } from 'node:os';
import type { DoctorView, Finding, ReadyView } from '../../api/control.ts';
import type { Servent } from '../../protocol/servent.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { LiveSettings } from '../../settings/live.ts';
import type { Clock } from '../clock.ts';
import { attention } from '../doctor/attention.ts';
import { dhtFinding } from '../explain/explain-dht.ts';
import type { Hooks } from '../hooks/hooks.ts';
import type { Library } from '../library/library.ts';
import { type Log, logOutput } from '../log.ts';
import type { Network } from '../network/network.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { Downloads } from '../transfer/downloads.ts';
import { bootstrapView } from '../views/bootstrap.ts';
import { natView } from '../views/nat.ts';
import { keptView } from '../views/neighbours.ts';

export interface HealthParts {
  live: LiveSettings;
  log: Log;
  clock: Clock;
  gnutella: Endpoint;
  network: Network;
  servent: Servent;
  library: Library;
  downloads: Downloads;
  hooks: Hooks;
  damagedAside: string | null;
  lostBytes: number;
  eventsTrouble: () => string | null;
  recordings: Pick<Recorder, 'trouble'>;
}

export class Health {
  readonly #parts: HealthParts;
  /** Wall clock minus monotonic clock at the start, ms. A later difference means that the wall clock was set. */
  readonly #clockAhead: number;

  constructor(parts: HealthParts) {
    this.#parts = parts;
    this.#clockAhead = this.#ahead();
  }

  attention(): Finding[] {
    const { live, log, gnutella, network, servent, library, downloads, hooks } = this.#parts;
    const { damagedAside, lostBytes } = this.#parts;
    const { settings } = live;
    return attention({
      ...{ settings, damagedAside, lostBytes },
      waiting: live.waiting,
      folders: library.folders(),
      blockListFaults: network.blockListFaults,
      budget: network.limits.budget,
      lostParts: downloads.lost.parts,
      hooks: hooks.list(),
      eventsTrouble: this.#parts.eventsTrouble(),
      recordingTrouble: this.#parts.recordings.trouble,
      logTrouble: logOutput(log).trouble,
      port: gnutella.port,
      closed: network.way.closed,
      proxy: network.way.proxy,
      portFile: network.portFile?.trouble ?? null,
      udpTaken: settings.gnutella.udp && network.way.proxy === null && !servent.udp,
      clockMovedMs: this.#ahead() - this.#clockAhead,
    });
  }

  async doctor(): Promise<DoctorView> {
    const { live, clock, gnutella, network, servent, library, downloads } = this.#parts;
    const { identity, firewall, overlay, hosts, kept, dht, relaying } = servent;
    const { examine } = await import('../doctor/examine.ts');
    const { checkRelay } = await import('../doctor/relay.ts');
    const { leaves, ultrapeers } = overlay.counts;
    await downloads.lost.look();
    const findings = await examine({
      settings: live.settings,
      nowMs: clock.wallTime(),
      gnutella,
      listen: identity.listen(),
      ipv6: identity.ipv6(),
      udpOpen: servent.udp,
      addresses: Object.values(networkInterfaces()).flatMap(list => (list ?? []).map(({ address }) => address)),
      nat: natView(network, clock),
      proxied: network.way.proxy !== null,
      listening: network.listener.listening,
      reach: firewall.account(clock.now()),
      stream: {
        udpOpen: servent.udp,
        endpoint: servent.rudp.endpoint(clock.now()),
        portVaries: firewall.portVaries(clock.now()),
      },
      peers: leaves + ultrapeers,
      hosts: hosts.size,
      bootstrap: bootstrapView(servent.bootstrap.report, clock.wallTime()),
      dht: dhtFinding(dht, clock.now()),
      relay: checkRelay(live.settings.nat.relay, relaying.relays(clock.now()), relaying.desk),
      kept: kept.report().map(one => keptView(one, clock.now())),
      folders: library.folders(),
      media: library.media,
      damagedAside: this.#parts.damagedAside,
      attention: this.attention(),
    });
    return { ok: findings.every(({ state }) => state !== 'bad'), findings };
  }

  ready(): ReadyView {
    const { library, network } = this.#parts;
    const unreadable = library.folders().filter(({ state }) => state === 'failed');
    const proxied = network.way.proxy !== null && network.way.closed === null;
    const checks = [
      {
        name: 'gnutella',
        ok: network.listener.listening || proxied,
        detail: proxied ? 'nobody can connect: proxy.socks' : null,
      },
      {
        name: 'library',
        ok: true, // an unreadable folder does not stop the servent
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
