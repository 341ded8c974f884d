// Measures the process and its machine: sessions, load, memory, file descriptors, and the bytes that go out.
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { freemem } from 'node:os';
import { promisify } from 'node:util';
import type { Machine } from '../../protocol/overlay/neighbours/machine.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Table } from '../store/table.ts';
import { type Session, Sessions } from './sessions.ts';

const MEASURE_MS = 5_000;
/** Weight of the latest measurement: the load of about the last half minute. */
const CPU_WEIGHT = 0.2;
/** What POSIX promises, where the system does not say. */
const DESCRIPTORS_ASSUMED = 256;

export interface MachineGaugeOptions {
  clock: Clock;
  startedAt: Date;
  log: Log;
  table: Table<Session>;
  /** Bytes sent to others since the start, over links and for uploads. */
  bytesSent: () => number;
}

export class MachineGauge implements Machine {
  readonly #options: MachineGaugeOptions;
  readonly #sessions: Sessions;
  #timer: NodeJS.Timeout | null = null;
  #cpuShare = 0;
  #cpuUs = usedUs();
  #bytes = 0;
  #at: number;
  #descriptorsMax = DESCRIPTORS_ASSUMED;
  #descriptorsUsed = 0;
  #freeMemoryBytes = availableMemory(); // a dozen files are read for it

  constructor(options: MachineGaugeOptions) {
    const { table, startedAt, clock, log } = options;
    this.#options = options;
    this.#at = clock.now();
    this.#sessions = new Sessions(table, startedAt, clock, log);
  }

  async start(): Promise<void> {
    await this.#sessions.start();
    this.#descriptorsMax = await descriptorLimit();
    this.#descriptorsUsed = await openDescriptors();
    this.#timer = setInterval(() => void this.#measure(), MEASURE_MS).unref();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#sessions.stop();
  }

  get uptimeMs(): number {
    return this.#sessions.uptimeMs;
  }

  get averageUptimeMs(): number {
    return this.#sessions.averageMs;
  }

  get dailyUptimeSeconds(): number {
    return this.#sessions.dailySeconds;
  }

  get bestUpload(): number | null {
    return this.#sessions.bestUpload;
  }

  get freeMemoryBytes(): number {
    return this.#freeMemoryBytes;
  }

  get cpuShare(): number {
    return this.#cpuShare;
  }

  get freeDescriptors(): number {
    return Math.max(0, this.#descriptorsMax - this.#descriptorsUsed);
  }

  async #measure(): Promise<void> {
    const { clock, bytesSent } = this.#options;
    const passedMs = Math.max(1, clock.now() - this.#at);
    const [cpuUs, bytes] = [usedUs(), bytesSent()];
    const share = (cpuUs - this.#cpuUs) / 1000 / passedMs;
    this.#cpuShare += CPU_WEIGHT * (share - this.#cpuShare);
    this.#sessions.sawUpload(((bytes - this.#bytes) * 1000) / passedMs);
    this.#at += passedMs;
    this.#cpuUs = cpuUs;
    this.#bytes = bytes;
    this.#freeMemoryBytes = availableMemory();
    this.#descriptorsUsed = await openDescriptors();
  }
}

function usedUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** What programs may still take, with what the system holds as cache; older Node knows only what nothing is in. */
function availableMemory(): number {
  const { availableMemory } = process as { availableMemory?: () => number };
  return availableMemory?.() ?? freemem();
}

async function openDescriptors(): Promise<number> {
  for (const folder of ['/proc/self/fd', '/dev/fd']) {
    const entries = await readdir(folder).catch(() => null); // the other system's
    if (entries !== null) return entries.length;
  }
  return 0;
}

async function descriptorLimit(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => ''); // only Linux has it
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1] ?? (await shellLimit());
  return soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft) || DESCRIPTORS_ASSUMED;
}

async function shellLimit(): Promise<string> {
  try {
    return (await promisify(execFile)('sh', ['-c', 'ulimit -n'])).stdout.trim();
  } catch {
    return ''; // no shell: no limit to be had
  }
}
