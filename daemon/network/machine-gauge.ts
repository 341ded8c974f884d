// Measures the process and its machine: uptime, CPU load, memory, file descriptors, bytes sent.
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
/** Weight of the latest measurement: averages the load over about 30 s. */
const CPU_WEIGHT = 0.2;
/** File descriptors assumed when the system's limit is unknown: the least that POSIX allows. */
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
  #freeMemoryBytes = availableMemory(); // cached: reading it opens a dozen files

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

/** Memory available to programs, with reclaimable cache; older Node.js versions report only free memory. */
function availableMemory(): number {
  const { availableMemory } = process as { availableMemory?: () => number };
  return availableMemory?.() ?? freemem();
}

async function openDescriptors(): Promise<number> {
  for (const folder of ['/proc/self/fd', '/dev/fd']) {
    const entries = await readdir(folder).catch(() => null); // the folder of the other system
    if (entries !== null) return entries.length;
  }
  return 0;
}

async function descriptorLimit(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => ''); // Linux only
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1] ?? (await shellLimit());
  return soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft) || DESCRIPTORS_ASSUMED;
}

async function shellLimit(): Promise<string> {
  try {
    return (await promisify(execFile)('sh', ['-c', 'ulimit -n'])).stdout.trim();
  } catch {
    return ''; // no shell: the limit is unknown
  }
}
