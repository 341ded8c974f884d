// What systemd wants to hear: that we are ready, that we reload, that we live, that we stop. Silent without NOTIFY_SOCKET.
import { execFile } from 'node:child_process';
import type { Log } from './log.ts';

const CALL_WAIT_MS = 5_000;

export interface Supervisor {
  ready(): void;
  /** Before and, with `ready`, after reading the configuration again. */
  reloading(): void;
  stopping(): void;
}

/** `systemd-notify` speaks to the socket: node has no datagram Unix sockets of its own. */
export function superviseBy(env: Readonly<Record<string, string | undefined>>, log: Log): Supervisor {
  if (!env['NOTIFY_SOCKET']) return { ready: () => {}, reloading: () => {}, stopping: () => {} };
  let warned = false;
  const say = (...words: string[]): void => {
    execFile('systemd-notify', words, { timeout: CALL_WAIT_MS }, err => {
      if (err === null || warned) return;
      warned = true;
      log.warn({ err }, 'systemd cannot be told how we are');
    }).unref();
  };
  const watchdogMs = Number(env['WATCHDOG_USEC'] ?? 0) / 1000;
  // Half of its patience, as systemd advises; a blocked event loop says nothing, which is the point.
  const beat = watchdogMs > 0 ? setInterval(() => say('WATCHDOG=1'), watchdogMs / 2).unref() : null;
  return {
    ready: () => say('--ready', `--pid=${process.pid}`),
    reloading: () => say('RELOADING=1'),
    stopping: () => {
      if (beat !== null) clearInterval(beat);
      say('STOPPING=1');
    },
  };
}
