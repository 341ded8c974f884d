// Asks all daemons of a fleet at once, each within a time limit; one that does not answer is a result too.
import type { Command } from 'commander';
import { type ClientFlags, type Daemon, daemonOf } from './connection.ts';
import { contextNamed, readContexts } from './contexts.ts';
import { CommandError, explain } from './failure.ts';
import { wholeNumber } from './numbers.ts';
import { outputOptions } from './output.ts';
import type { Terminal } from './terminal.ts';

export interface FleetFlags {
  context?: string[];
  wait: number;
  strict?: true;
  json?: boolean;
}

export type RolloutFlags = FleetFlags & { dryRun?: true; settle: number; within: number; keep: number };

export interface Member {
  readonly name: string;
  /** Rejects when the context cannot be used, for example because its data folder has no token. */
  readonly daemon: () => Promise<Daemon>;
}

/** What a daemon answered, or why there is no answer. */
export type Outcome<T> =
  | { readonly name: string; readonly answer: T; readonly error: null }
  | { readonly name: string; readonly answer: null; readonly error: string };

const WAIT_SECONDS = 3;
const WAIT_SECONDS_MAX = 60;
/** Daemons that are asked at a time. */
const AT_ONCE = 16;

/** The options of commands on a fleet. */
export function fleetOptions(command: Command): Command {
  return outputOptions(command)
    .option('--context <name...>', 'only these daemons (default: all of "servent context list")')
    .option('--wait <seconds>', 'longest wait for each daemon', wholeNumber(1, WAIT_SECONDS_MAX), WAIT_SECONDS)
    .option('--strict', 'exit 1 when a daemon does not answer, not only when none does')
    .enablePositionalOptions();
}

export async function membersOf({ context, wait }: FleetFlags, terminal: Terminal): Promise<Member[]> {
  const contexts =
    context === undefined
      ? await readContexts(terminal)
      : await Promise.all([...new Set(context)].map(name => contextNamed(terminal, name)));
  if (contexts.length === 0)
    throw new CommandError(
      'the fleet is empty: name each daemon with "servent context add NAME --api URL --token TOKEN"',
    );
  return contexts.map(one => ({
    name: one.name,
    daemon: () => daemonOf(one, {} as ClientFlags, terminal, wait * 1000),
  }));
}

/** Outcomes in the order of the members. `ask` is given up after `waitMs`. */
export async function askEach<T>(
  members: readonly Member[],
  waitMs: number,
  ask: (daemon: Daemon) => Promise<T>,
): Promise<Outcome<T>[]> {
  const outcomes: Outcome<T>[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < members.length; i = next++) {
      const member = members[i];
      if (member !== undefined) outcomes[i] = await outcomeOf(member, waitMs, ask);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, members.length) }, worker));
  return outcomes;
}

export async function outcomeOf<T>(
  { name, daemon }: Member,
  waitMs: number,
  ask: (daemon: Daemon) => Promise<T>,
): Promise<Outcome<T>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CommandError(`no answer within ${waitMs / 1000} s`)), waitMs);
  });
  try {
    return { name, answer: await Promise.race([daemon().then(ask), late]), error: null };
  } catch (error) {
    return { name, answer: null, error: reasonOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** Why a daemon did not answer. The advice to start one of this machine is left out: the daemon may be anywhere. */
function reasonOf(error: unknown): string {
  return explain(error).replace(/: start one with .*$/, '');
}

/** Throws when no daemon answered, or one did not with --strict. */
export function requireAnswers(outcomes: readonly Outcome<unknown>[], { strict }: FleetFlags): void {
  const silent = outcomes.filter(({ error }) => error !== null);
  if (silent.length === 0 || (strict !== true && silent.length < outcomes.length)) return;
  const names = silent.map(({ name }) => name).join(', ');
  throw new CommandError(
    `${silent.length} of ${outcomes.length} daemons gave no answer (${names}): look at them with "servent health --context NAME"`,
  );
}
