// limits: which limits of bandwidth hold now, and why.
import type { Command } from 'commander';
import type { BudgetView, LimitView } from '../api/control.ts';
import { formatBytes, formatRate } from '../api/format.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { type Column, table } from './table.ts';
import { print, printJson, type Terminal } from './terminal.ts';

const columns: Column<LimitView>[] = [
  { title: 'LIMIT', of: ({ name }) => name },
  {
    title: 'VALUE',
    of: ({ value, stopped }) => (stopped ? 'stopped' : value === 0 ? 'none' : formatRate(value)),
    right: true,
  },
  { title: 'USED NOW', of: ({ used }) => (used === null ? '-' : formatRate(used)), right: true },
  { title: 'ORIGIN', of: ({ origin }) => origin },
  {
    title: 'WHY',
    of: ({ why, changesAt }) => (changesAt === null ? why : `${why}; changes at ${localText(changesAt)}`),
  },
];

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** In local time, as the timetable is written: `Mon 08:00`. */
function localText(time: string): string {
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${DAYS[date.getDay()]} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

export function limitsCommand(terminal: Terminal): Command {
  return clientCommand('limits', 'show which speed limits hold now, and why').action(async (flags: ClientFlags) => {
    const { client } = await findDaemon(flags, terminal);
    const limits = await client.limits();
    if (flags.json === true) return printJson(terminal, limits);
    print(terminal, table(columns, limits.items));
    print(terminal, budgetText(limits.budget));
  });
}

const IN_WORDS: Readonly<Record<BudgetView['state'], string>> = {
  none: '',
  open: '',
  slow: '; the rest is spread over the rest of the month',
  spent: '; no transfers until the next month, and the role is leaf',
};

function budgetText({ state, bytes, used, month }: BudgetView): string {
  if (state === 'none') return `${month}: ${formatBytes(used)} used, no budget`;
  return `${month}: ${formatBytes(used)} of ${formatBytes(bytes)} used${IN_WORDS[state]}`;
}
