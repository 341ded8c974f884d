// What every part of the daemon stands on: settings, time, chance, the store, the event log, and who we are.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { OverlayLimits } from '../protocol/overlay/limits.ts';
import { LiveSettings } from '../settings/live.ts';
import type { ResolvedSettings, Settings } from '../settings/settings.ts';
import { Observation } from './events/observation.ts';
import type { Log } from './log.ts';
import type { Running } from './running.ts';
import { serventGuid } from './store/servent-guid.ts';
import { Store } from './store/store.ts';
import { SystemClock, SystemRandom } from './system.ts';

export interface Ground {
  readonly live: LiveSettings;
  /** Those of `live`, which change in place. */
  readonly settings: Settings;
  readonly clock: SystemClock;
  readonly random: SystemRandom;
  readonly startedAt: Date;
  readonly log: Log;
  readonly running: Running;
  readonly store: Store;
  readonly observation: Observation;
  readonly guid: Buffer;
  /** Before those of the profile. */
  readonly limits: Partial<OverlayLimits>;
}

/** Rejects with an error that says what to do. */
export async function layGround(
  given: ResolvedSettings,
  log: Log,
  running: Running,
  limits: Partial<OverlayLimits>,
): Promise<Ground> {
  const live = new LiveSettings(given, plan => observation.events.tell('status.configured', plan));
  const { settings } = live;
  const clock = new SystemClock();
  const random = new SystemRandom();
  const startedAt = new Date();
  await mkdir(settings.dataDir, { recursive: true, mode: 0o700 });
  const store = await Store.open(join(settings.dataDir, 'store'), log.child({ mod: 'store' }));
  running.add('the store', () => store.close());
  const observation = new Observation({ store, clock, log });
  await observation.start();
  running.add('the event log', () => observation.stop());
  const guid = await serventGuid(store.table('identity'), random);
  return { live, settings, clock, random, startedAt, log, running, store, observation, guid, limits };
}
