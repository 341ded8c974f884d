// Changes a setting on one daemon after the other, watches its health, and takes the change back where that falls.
import type { ConfigPlan, ReadyView, SettingView, StatusView } from '../api/control.ts';

/** What a rollout asks of a daemon. */
export interface Rolled {
  readonly name: string;
  status(): Promise<Pick<StatusView, 'peers'>>;
  ready(): Promise<ReadyView>;
  /** The setting as it is before the change. */
  setting(): Promise<Pick<SettingView, 'value' | 'origin' | 'where'>>;
  /** Changes the setting; null removes it from the file. `wanted`: to the value that is rolled out. */
  change(to: 'wanted' | { readonly value: unknown }, dryRun: boolean): Promise<ConfigPlan>;
}

export interface RolloutRules {
  /** Time without a fault after which a daemon counts as healthy. */
  readonly settleMs: number;
  /** Time in which it must have become healthy; also for taking back. */
  readonly withinMs: number;
  /** Share of its peers, 0 to 1, that a healthy daemon still has. */
  readonly keep: number;
  readonly pollMs: number;
}

/** Real time, or that of a test. `pause` rejects when the user stops the rollout. */
export interface RolloutTime {
  now(): number;
  pause(ms: number): Promise<void>;
}

export type RolloutState =
  | 'planned'
  | 'unchanged'
  | 'applied'
  | 'refused'
  | 'taken back'
  | 'left changed'
  | 'untouched';

export interface RolloutStep {
  readonly daemon: string;
  readonly state: RolloutState;
  readonly plan: ConfigPlan | null;
  /** Why it was not applied. */
  readonly error: string | null;
}

interface Before {
  readonly plan: ConfigPlan;
  /** What takes the change back. */
  readonly back: { readonly value: unknown };
}

/** Plans the change on every daemon; one that could not be changed, or not taken back, is refused. */
export async function planRollout(daemons: readonly Rolled[]): Promise<(RolloutStep & { before: Before | null })[]> {
  return Promise.all(
    daemons.map(async daemon => {
      const step = { daemon: daemon.name, plan: null, before: null };
      try {
        const plan = await daemon.change('wanted', true);
        const [overruled] = plan.overruled;
        if (overruled !== undefined)
          return {
            ...step,
            plan,
            state: 'refused',
            error: `${overruled.by} takes precedence: change it there`,
          } as const;
        if (plan.changes.length === 0) return { ...step, plan, state: 'unchanged', error: null } as const;
        const { value, origin } = await daemon.setting();
        if (JSON.stringify(value).includes(':***@'))
          return {
            ...step,
            plan,
            state: 'refused',
            error:
              'its value holds a password, which is not shown and so could not be taken back: change it on this daemon alone',
          } as const;
        const before = { plan, back: { value: origin === 'file' ? value : null } };
        return { ...step, plan, before, state: 'planned', error: null } as const;
      } catch (error) {
        return { ...step, state: 'refused', error: textOf(error) } as const;
      }
    }),
  );
}

/** `say` is told what happens. Stops at the first daemon that is not healthy afterwards, which gets its old value back. */
export async function rollOut(
  daemons: readonly Rolled[],
  planned: Awaited<ReturnType<typeof planRollout>>,
  rules: RolloutRules,
  time: RolloutTime,
  say: (text: string) => void,
): Promise<RolloutStep[]> {
  const steps: RolloutStep[] = [];
  let stopped = false;
  for (const { before, ...step } of planned) {
    const daemon = daemons.find(({ name }) => name === step.daemon);
    if (daemon === undefined || before === null) {
      steps.push(step);
      continue;
    }
    if (stopped) {
      steps.push({ ...step, state: 'untouched' });
      continue;
    }
    const done = await changeOne(daemon, before, rules, time, say);
    steps.push(done);
    stopped = done.state !== 'applied';
  }
  return steps;
}

async function changeOne(
  daemon: Rolled,
  { back, plan }: Before,
  rules: RolloutRules,
  time: RolloutTime,
  say: (text: string) => void,
): Promise<RolloutStep> {
  const step = { daemon: daemon.name, plan };
  let peers: number;
  try {
    peers = peersOf(await daemon.status());
    const fault = await faultOf(daemon, 0);
    if (fault !== null) return { ...step, state: 'refused', error: `it was not healthy before the change: ${fault}` };
  } catch (error) {
    return { ...step, state: 'refused', error: textOf(error) };
  }
  let applied: ConfigPlan;
  let why: string | null;
  try {
    applied = await daemon.change('wanted', false);
    why = applied.changes.find(({ error }) => error !== null)?.error ?? null;
    if (why === null && applied.restart) {
      say(`${daemon.name}: written; it takes effect at the next start, so its health was not watched`);
      return { ...step, plan: applied, state: 'applied', error: null };
    }
    why ??= await watch(daemon, Math.ceil(peers * rules.keep), rules, time);
  } catch (error) {
    // the daemon may have taken a change whose answer was lost
    why = textOf(error);
    applied = plan;
  }
  if (why === null) {
    say(`${daemon.name}: changed and healthy`);
    return { ...step, plan: applied, state: 'applied', error: null };
  }
  say(`${daemon.name}: ${why}; the change is taken back`);
  const failed = await takeBack(daemon, back, rules, time);
  if (failed === null) return { ...step, plan: applied, state: 'taken back', error: why };
  return { ...step, plan: applied, state: 'left changed', error: `${why}; not taken back: ${failed}` };
}

/** Returns null when the daemon has been healthy for the settling time, or what was wrong with it last when time is up. */
async function watch(daemon: Rolled, peers: number, rules: RolloutRules, time: RolloutTime): Promise<string | null> {
  const began = time.now();
  let since = began;
  for (;;) {
    const fault = await faultOf(daemon, peers);
    const now = time.now();
    if (fault !== null) since = Number.POSITIVE_INFINITY;
    else if (since === Number.POSITIVE_INFINITY) since = now;
    if (now - since >= rules.settleMs) return null;
    const left = began + Math.max(rules.withinMs, rules.settleMs) - now;
    if (left <= 0) return fault ?? `it was not healthy for ${rules.settleMs / 1000} s in a row`;
    await time.pause(Math.min(rules.pollMs, left));
  }
}

async function takeBack(
  daemon: Rolled,
  back: { readonly value: unknown },
  rules: RolloutRules,
  time: RolloutTime,
): Promise<string | null> {
  const until = time.now() + rules.withinMs;
  for (;;) {
    try {
      const { changes } = await daemon.change(back, false);
      return changes.find(({ error }) => error !== null)?.error ?? null;
    } catch (error) {
      if (time.now() >= until) return textOf(error);
      // the user may stop here: the error says that the change stayed
      const stopped = await time.pause(rules.pollMs).then(
        () => null,
        () => textOf(error),
      );
      if (stopped !== null) return stopped;
    }
  }
}

const peersOf = ({ peers }: Pick<StatusView, 'peers'>): number => peers.leaves + peers.ultrapeers;

/** What is wrong with a daemon; null: it is ready and has so many peers. */
async function faultOf(daemon: Rolled, peers: number): Promise<string | null> {
  try {
    const [ready, status] = await Promise.all([daemon.ready(), daemon.status()]);
    if (ready.status !== 'ok') {
      const bad = ready.checks
        .filter(({ ok }) => !ok)
        .map(({ name, detail }) => (detail === null ? name : `${name}, ${detail}`));
      return `it is not ready (${bad.join('; ')})`;
    }
    const has = peersOf(status);
    return has < peers ? `it has ${has} peers of the ${peers} that it has to keep` : null;
  } catch (error) {
    return `it gives no answer (${textOf(error)})`;
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
