// Services that every part of the daemon uses: settings, clock, randomness, store, event log, own GUID.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { OverlayLimits } from '../protocol/overlay/limits.ts';
import type { DhtMemory } from '../protocol/servent-dht-parts.ts';
import { LiveSettings } from '../settings/live.ts';
import type { ResolvedSettings, Settings } from '../settings/settings.ts';
import { EventRecorder } from './events/event-recorder.ts';
import type { Log } from './log.ts';
import type { Shutdown } from './shutdown.ts';
import { dhtMemory } from './store/dht-store.ts';
import { keptValues } from './store/dht-values.ts';
import { serventGuid } from './store/servent-guid.ts';
import { Store } from './store/store.ts';
import { SystemClock, SystemRandom } from './system.ts';

export interface DaemonContext {
  readonly live: LiveSettings;
  /** The same object as `live.settings`: it changes in place. */
  readonly settings: Settings;
  readonly clock: SystemClock;
  readonly random: SystemRandom;
  readonly startedAt: Date;
  readonly log: Log;
  readonly shutdown: Shutdown;
  readonly store: Store;
  readonly recorder: EventRecorder;
  readonly guid: Buffer;
  readonly dht: DhtMemory;
  /** Override the limits of the profile. */
  readonly limits: Partial<OverlayLimits>;
}

/** Opens the data folder, the store and the event log. Rejects with an error that says what to do. */
export async function openContext(
  given: ResolvedSettings,
  log: Log,
  shutdown: Shutdown,
  limits: Partial<OverlayLimits>,
): Promise<DaemonContext> {
  const live = new LiveSettings(given, plan => recorder.events.tell('status.configured', plan));
  const { settings } = live;
  const clock = new SystemClock();
  const random = new SystemRandom();
  const startedAt = new Date();
  await mkdir(settings.dataDir, { recursive: true, mode: 0o700 });
  const store = await Store.open(join(settings.dataDir, 'store'), log.child({ mod: 'store' }));
  shutdown.add('the store', () => store.close());
  const recorder = new EventRecorder({ store, clock, log });
  await recorder.start();
  shutdown.add('the event log', () => recorder.stop());
  const guid = await serventGuid(store.table('identity'), random);
  const memory = await dhtMemory(store.table('dht'), random, clock);
  const dht = { ...memory, values: await keptValues(store.table('dht-values'), clock) };
  return { live, settings, clock, random, startedAt, log, shutdown, store, recorder, guid, dht, limits };
}
