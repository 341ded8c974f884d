// Merges lines of the daemon's log, new and earlier ones, into the log view. Pure.
import type { LogLineView } from '../api/control.ts';
import { LOG_MAX, type LogLine, type World } from './model.ts';

const LEVELS: Readonly<Record<string, LogLine['level']>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  error: 'error',
  fatal: 'error',
};

export type Line = Omit<LogLine, 'id'>;

export function lineOf({ id, at, level, mod, message, data }: LogLineView): Line {
  const besides = Object.entries(data ?? {}).flatMap(([name, value]) => {
    const told = typeof value === 'object' && value !== null && 'message' in value ? value.message : value;
    return ['string', 'number', 'boolean'].includes(typeof told) ? [`${name}=${told}`] : [];
  });
  return {
    at: Date.parse(at),
    level: LEVELS[level] ?? 'info',
    from: mod ?? 'daemon',
    text: [message, ...besides].join(' '),
    told: `${id} ${at}`, // ids restart with the daemon
  };
}

/** Adds lines, newest first, with ids of the dashboard, since ids of daemons overlap. */
export function withLines(world: World, lines: readonly Line[]): World {
  let number = world.log.reduce((most, { id }) => Math.max(most, Number(id)), 0);
  const numbered = lines.map(line => ({ ...line, id: String(++number) })).reverse();
  return { ...world, log: [...numbered, ...world.log].slice(0, LOG_MAX) };
}

/** Adds earlier lines, newest first, without those already present. */
export function withEarlier(world: World, views: readonly LogLineView[]): World {
  const known = new Set(world.log.map(({ told }) => told));
  const lines = views.map(lineOf).filter(({ told }) => !known.has(told));
  if (lines.length === 0) return world;
  const all = withLines(world, lines.reverse());
  return { ...all, log: all.log.toSorted((a, b) => b.at - a.at) };
}
