// Notifies systemd of ready, reload, watchdog and stop. Does nothing without NOTIFY_SOCKET.
import { execFile } from 'node:child_process';
import type { Log } from './log.ts';

const CALL_WAIT_MS = 5_000;

export interface Supervisor {
  ready(): void;
  /** Call before a reload, and ready() after it. */
  reloading(): void;
  stopping(): void;
}

/** Runs `systemd-notify`, because Node.js has no Unix datagram sockets. */
export function superviseBy(env: Readonly<Record<string, string | undefined>>, log: Log): Supervisor {
  if (!env['NOTIFY_SOCKET']) return { ready: () => {}, reloading: () => {}, stopping: () => {} };
  let warned = false;
  const say = (...words: string[]): void => {
    execFile('systemd-notify', words, { timeout: CALL_WAIT_MS }, err => {
      if (err === null || warned) return;
      warned = true;
      log.warn({ err }, 'systemd-notify failed: systemd does not get the state of the daemon');
    }).unref();
  };
  const watchdogMs = Number(env['WATCHDOG_USEC'] ?? 0) / 1000;
  // Half of the watchdog interval, as systemd advises. A blocked event loop misses it and systemd restarts the daemon.
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
