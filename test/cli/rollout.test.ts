import t from 'tap';
import type { ConfigPlan } from '../../api/control.ts';
import { planRollout, type Rolled, type RolloutTime, rollOut } from '../../cli/rollout.ts';

interface Made {
  /** Peers and readiness with the new value, by milliseconds since the change. */
  peers?: (ms: number) => number;
  ready?: (ms: number) => boolean;
  effect?: 'hot' | 'restart';
  origin?: 'file' | 'default';
  value?: unknown;
  /** Why the daemon does not take the change. */
  error?: string;
  /** Calls that fail after the change, as when the daemon is gone. */
  gone?: (ms: number) => boolean;
  planError?: string;
}

class Clock implements RolloutTime {
  ms = 0;
  now(): number {
    return this.ms;
  }
  async pause(ms: number): Promise<void> {
    this.ms += ms;
  }
}

function daemon(name: string, clock: Clock, made: Made): Rolled & { changes: unknown[] } {
  let changedAt: number | null = null;
  const changes: unknown[] = [];
  const since = () => (changedAt === null ? null : clock.ms - changedAt);
  const answer = <T>(value: (ms: number | null) => T): T => {
    const ms = since();
    if (ms !== null && made.gone?.(ms) === true) throw new Error('gone');
    return value(ms);
  };
  return {
    name,
    changes,
    status: async () => answer(ms => ({ peers: { leaves: 0, ultrapeers: ms === null ? 4 : (made.peers?.(ms) ?? 4) } })),
    ready: async () =>
      answer(ms =>
        ms === null || made.ready?.(ms) !== false
          ? { status: 'ok', checks: [] }
          : { status: 'unavailable', checks: [{ name: 'gnutella', ok: false, detail: null }] },
      ),
    setting: async () => ({ value: made.value ?? 200, origin: made.origin ?? 'default', where: null }),
    change: async (to, dryRun): Promise<ConfigPlan> => {
      if (made.planError !== undefined) throw new Error(made.planError);
      const effect = made.effect ?? 'hot';
      const error = to === 'wanted' && !dryRun ? (made.error ?? null) : null;
      const change = { key: 'k', from: 200, to: 77, effect, applied: !dryRun && error === null, error };
      return answer(() => {
        if (!dryRun) {
          changes.push(to === 'wanted' ? to : to.value);
          changedAt = to === 'wanted' ? clock.ms : null;
        }
        return { file: null, dryRun, changes: [change], overruled: [], restart: effect === 'restart' };
      });
    },
  };
}

async function rolled(clock: Clock, daemons: ReturnType<typeof daemon>[], time: RolloutTime = clock) {
  const said: string[] = [];
  const rules = { settleMs: 5_000, withinMs: 30_000, keep: 0.5, pollMs: 500 };
  const steps = await rollOut(daemons, await planRollout(daemons), rules, time, text => said.push(text));
  return { steps: steps.map(({ state, error }) => [state, error]), said };
}

t.test('each daemon is watched until it settles, and the next one comes after it', async t => {
  const clock = new Clock();
  const [one, two] = [daemon('one', clock, {}), daemon('two', clock, { effect: 'restart' })];
  const { steps } = await rolled(clock, [one, two]);
  t.strictSame(steps, [
    ['applied', null],
    ['applied', null],
  ]);
  t.equal(clock.ms, 5_000, 'what counts at the next start is not watched');
});

t.test('a daemon may be unhealthy for a while, if it settles in time', async t => {
  const clock = new Clock();
  const { steps } = await rolled(clock, [daemon('one', clock, { peers: ms => (ms < 10_000 ? 0 : 2) })]);
  t.strictSame(steps, [['applied', null]]);
  t.equal(clock.ms, 15_000);
});

t.test(
  'a change is taken back when peers are lost, readiness ends, or the daemon refuses it or falls silent',
  async t => {
    for (const [made, why, ms] of [
      [{ peers: () => 1 }, 'it has 1 peers of the 2 that it has to keep', 30_000],
      [{ ready: () => false }, 'it is not ready (gnutella)', 30_000],
      [{ ready: (ms: number) => ms % 4000 < 2000 }, 'it was not healthy for 5 s in a row', 30_000],
      [{ error: 'the port is in use' }, 'the port is in use', 0],
      [{ gone: (ms: number) => ms > 0 && ms <= 31_000 }, 'it gives no answer (gone)', 31_500],
    ] as const) {
      const clock = new Clock();
      const [one, two, three] = [daemon('one', clock, {}), daemon('two', clock, made), daemon('three', clock, {})];
      const { steps, said } = await rolled(clock, [one, two, three]);
      t.match(
        steps,
        [
          ['applied', null],
          ['taken back', String],
          ['untouched', null],
        ],
        why,
      );
      if (!('ready' in made && made.ready(0))) t.equal(steps[1]?.[1], why);
      t.equal(clock.ms, 5_000 + ms, `${why}: time that it took`);
      t.strictSame(two.changes, ['wanted', null], 'what was a default is one again');
      t.strictSame(three.changes, []);
      t.match(said[1], /^two: .*; the change is taken back$/);
    }
  },
);

t.test('the value of the file comes back, not the default', async t => {
  const clock = new Clock();
  const one = daemon('one', clock, { peers: () => 0, origin: 'file', value: 12 });
  await rolled(clock, [one]);
  t.strictSame(one.changes, ['wanted', 12]);
});

t.test('a daemon that stays away keeps the change, and that is said', async t => {
  const clock = new Clock();
  const { steps } = await rolled(clock, [daemon('one', clock, { gone: () => true })]);
  t.match(steps, [['left changed', 'it gives no answer (gone); not taken back: gone']]);
  t.equal(clock.ms, 60_000);
});

t.test('a daemon that is not healthy before is not touched', async t => {
  const clock = new Clock();
  const one = { ...daemon('one', clock, {}), ready: async () => ({ status: 'unavailable' as const, checks: [] }) };
  const { steps } = await rolled(clock, [one, daemon('two', clock, {})]);
  t.match(steps, [
    ['refused', /^it was not healthy before the change/],
    ['untouched', null],
  ]);
  t.strictSame(one.changes, []);
});

t.test('a rollout that is stopped takes back what it was about', async t => {
  const clock = new Clock();
  const stopped = { now: () => clock.ms, pause: async () => Promise.reject(new Error('the rollout was stopped')) };
  const [one, two] = [daemon('one', clock, {}), daemon('two', clock, {})];
  const { steps } = await rolled(clock, [one, two], stopped);
  t.match(steps, [
    ['taken back', 'the rollout was stopped'],
    ['untouched', null],
  ]);
  t.strictSame(one.changes, ['wanted', null]);
});

t.test('what cannot be planned, or not be taken back, is refused', async t => {
  const clock = new Clock();
  const steps = await planRollout([
    daemon('one', clock, { planError: 'no such key' }),
    daemon('two', clock, { value: 'http://me:***@127.0.0.1:8123' }),
  ]);
  t.match(steps, [
    { state: 'refused', error: 'no such key' },
    { state: 'refused', error: /holds a password/ },
  ]);
});
