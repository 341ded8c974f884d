// fleet config apply: shows what a setting changes on each daemon, then rolls it out.
import type { ConfigChangeView } from '../api/control.ts';
import { patchOf, patchWith, planColumns } from './config.ts';
import { CommandError } from './failure.ts';
import { type Member, membersOf, type RolloutFlags } from './fleet-members.ts';
import { planRollout, type Rolled, type RolloutStep, rollOut } from './rollout.ts';
import { pause, stopSignal } from './signals.ts';
import { type Column, table } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

const POLL_MS = 500;

export async function rollOutSetting(
  terminal: Terminal,
  key: string,
  values: readonly string[],
  flags: RolloutFlags,
): Promise<void> {
  const patch = patchOf(key, values);
  const daemons = (await membersOf(flags, terminal)).map(member => rolled(member, key, patch));
  const planned = await planRollout(daemons);
  const json = flags.json === true;
  if (!json) showPlans(terminal, planned);
  const refused = planned.filter(({ state }) => state === 'refused');
  if (flags.dryRun === true || refused.length > 0) {
    if (json) printSteps(terminal, planned);
    if (refused.length > 0)
      throw new CommandError(
        `nothing was changed: ${namesOf(refused)} cannot take it; mend that, or name the others with --context`,
      );
    return;
  }
  const signal = stopSignal(terminal);
  const rules = {
    settleMs: flags.settle * 1000,
    withinMs: flags.within * 1000,
    keep: flags.keep / 100,
    pollMs: POLL_MS,
  };
  const time = {
    now: () => performance.now(),
    pause: async (ms: number): Promise<void> => {
      await pause(ms, signal).catch(() => {
        throw new Error('the rollout was stopped');
      });
    },
  };
  const steps = await rollOut(daemons, planned, rules, time, text => note(terminal, text));
  if (json) printSteps(terminal, steps);
  requireApplied(steps);
}

function rolled({ name, daemon }: Member, key: string, patch: Record<string, unknown>): Rolled {
  return {
    name,
    status: async () => (await daemon()).client.status(),
    ready: async () => (await daemon()).client.ready(),
    setting: async () => {
      const { settings } = await (await daemon()).client.config();
      const found = settings.find(row => row.key === key);
      if (found === undefined) throw new CommandError(`its version has no setting ${key}`);
      return found;
    },
    change: async (to, dryRun) => {
      const wanted = to === 'wanted' ? patch : patchWith(key, to.value);
      return (await daemon()).client.changeConfig({ dryRun: dryRun ? 'true' : 'false', ...wanted });
    },
  };
}

function showPlans(terminal: Terminal, planned: readonly RolloutStep[]): void {
  type Line = { daemon: string; change: ConfigChangeView };
  const lines = planned.flatMap(({ daemon, plan }) =>
    (plan?.changes ?? []).map((change): Line => ({ daemon, change })),
  );
  const columns: Column<Line>[] = [
    { title: 'DAEMON', of: ({ daemon }) => daemon },
    ...planColumns.map(column => ({ ...column, of: ({ change }: Line) => column.of(change) })),
  ];
  if (lines.length > 0) print(terminal, table(columns, lines));
  for (const { daemon, state, error } of planned) {
    if (state === 'unchanged') note(terminal, `${daemon}: nothing changes`);
    if (error !== null) note(terminal, `${daemon}: ${error}`);
  }
}

const printSteps = (terminal: Terminal, steps: readonly RolloutStep[]): void =>
  printJson(terminal, {
    items: steps.map(({ daemon, state, plan, error }) => ({ daemon, state, plan, error })),
    next: null,
  });

const namesOf = (steps: readonly RolloutStep[]): string => steps.map(({ daemon }) => daemon).join(', ');

/** Throws when the rollout stopped, and says which daemons have the new value. */
function requireApplied(steps: readonly RolloutStep[]): void {
  const failed = steps.find(({ state }) => ['refused', 'taken back', 'left changed'].includes(state));
  if (failed === undefined) return;
  const applied = namesOf(steps.filter(({ state }) => state === 'applied'));
  const untouched = namesOf(steps.filter(({ state }) => state === 'untouched'));
  throw new CommandError(
    [
      `the rollout stopped at ${failed.daemon}, ${failed.state}: ${failed.error}`,
      applied === '' ? 'no daemon has the new value' : `changed before and still so: ${applied}`,
      ...(untouched === '' ? [] : [`not touched: ${untouched}`]),
    ].join('; '),
  );
}
