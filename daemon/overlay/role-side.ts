// Our role and what it is decided by, built and wired in one place: sessions, vitals, free slots elsewhere, elections.
import { FreeSlots } from '../../protocol/overlay/free-slots.ts';
import { LOCAL_TOPOLOGY, PUBLIC_TOPOLOGY, type TopologyRules } from '../../protocol/overlay/topology.ts';
import type { Clock, Random } from '../../protocol/ports.ts';
import type { Log } from '../log.ts';
import type { Settings } from '../settings.ts';
import type { Table } from '../store/table.ts';
import { OwnRole, type OwnRoleOptions } from './own-role.ts';
import { type Session, Sessions } from './sessions.ts';
import { VitalSigns, type VitalsSources } from './vitals.ts';

/** How long an ultrapeer's word for its free leaf slots is believed: pongs are passed on for up to 40 s. */
const SLOTS_MS = 300_000;
const LAB_SLOTS_MS = 10_000;

export interface RoleSideOptions
  extends Pick<VitalsSources, 'reachable' | 'linkBytesSent' | 'uploadRate' | 'refusedShare' | 'counts'> {
  settings: Settings;
  seeks: boolean;
  startedAt: Date;
  clock: Clock;
  random: Random;
  log: Log;
  table: Table<Session>;
  onChange: OwnRoleOptions['onChange'];
}

export class RoleSide {
  /** Everywhere but on the public network: others are near, few, and ours. */
  readonly lab: boolean;
  readonly topology: TopologyRules;
  readonly slots: FreeSlots;
  readonly sessions: Sessions;
  readonly role: OwnRole;
  readonly #vitals: VitalSigns;

  constructor(options: RoleSideOptions) {
    const { settings, seeks, startedAt, clock, random, log, table, onChange } = options;
    this.lab = settings.profile !== 'public';
    this.topology = this.lab ? LOCAL_TOPOLOGY : PUBLIC_TOPOLOGY;
    this.slots = new FreeSlots(this.lab ? LAB_SLOTS_MS : SLOTS_MS);
    this.sessions = new Sessions(table, startedAt, clock, log);
    this.#vitals = new VitalSigns({
      ...options,
      now: () => clock.now(),
      sessions: this.sessions,
      leafSlotsSeen: () => this.slots.total(clock.now()),
    });
    this.role = new OwnRole({ settings, seeks, clock, random, log, vitals: () => this.#vitals.latest, onChange });
  }

  /** Measures; elections begin with hold(). */
  async start(): Promise<void> {
    await this.sessions.start();
    await this.#vitals.start();
  }

  async stop(): Promise<void> {
    this.role.stop();
    this.#vitals.stop();
    await this.sessions.stop();
  }
}
