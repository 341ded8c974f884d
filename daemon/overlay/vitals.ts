// Measures what an election goes by: load, memory, descriptors, upload, reachability, and how short of slots the network is.
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { freemem } from 'node:os';
import { promisify } from 'node:util';
import type { Vitals } from '../../protocol/overlay/election.ts';
import type { Reachability } from '../../protocol/overlay/firewall.ts';
import type { Sessions } from './sessions.ts';

const MEASURE_MS = 5_000;
/** Weight of the latest measurement: the load of about the last half minute. */
const CPU_WEIGHT = 0.2;
/** What POSIX promises, where the system does not say. */
const DESCRIPTORS_ASSUMED = 256;

export interface VitalsSources {
  now: () => number;
  sessions: Sessions;
  reachable: () => { tcp: Reachability; udp: Reachability };
  /** Bytes sent over links since the start. */
  linkBytesSent: () => number;
  /** Bytes a second of uploads now. */
  uploadRate: () => number;
  leafSlotsSeen: () => number;
  refusedShare: () => number;
  counts: () => { leaves: number; ultrapeers: number };
}

export class VitalSigns {
  readonly #sources: VitalsSources;
  #timer: NodeJS.Timeout | null = null;
  #cpuShare = 0;
  #cpuUs = usedUs();
  #bytes = 0;
  #at: number;
  #descriptorsMax = DESCRIPTORS_ASSUMED;
  #descriptorsUsed = 0;
  #freeMemoryBytes = availableMemory(); // a dozen files are read for it

  constructor(sources: VitalsSources) {
    this.#sources = sources;
    this.#at = sources.now();
  }

  async start(): Promise<void> {
    this.#descriptorsMax = await descriptorLimit();
    this.#descriptorsUsed = await openDescriptors();
    this.#timer = setInterval(() => void this.#measure(), MEASURE_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  get latest(): Vitals {
    const { sessions, reachable, leafSlotsSeen, refusedShare, counts } = this.#sources;
    const { tcp, udp } = reachable();
    return {
      uptimeMs: sessions.uptimeMs,
      averageUptimeMs: sessions.averageMs,
      tcpReachable: proven(tcp),
      udpReachable: proven(udp),
      uploadBytesPerSecond: sessions.bestUpload,
      freeMemoryBytes: this.#freeMemoryBytes,
      cpuShare: this.#cpuShare,
      freeDescriptors: Math.max(0, this.#descriptorsMax - this.#descriptorsUsed),
      leafSlotsSeen: leafSlotsSeen(),
      refusedShare: refusedShare(),
      ...counts(),
    };
  }

  async #measure(): Promise<void> {
    const { now, sessions, linkBytesSent, uploadRate } = this.#sources;
    const passedMs = Math.max(1, now() - this.#at);
    const [cpuUs, bytes] = [usedUs(), linkBytesSent()];
    const share = (cpuUs - this.#cpuUs) / 1000 / passedMs;
    this.#cpuShare += CPU_WEIGHT * (share - this.#cpuShare);
    sessions.sawUpload(((bytes - this.#bytes) * 1000) / passedMs + uploadRate());
    this.#at += passedMs;
    this.#cpuUs = cpuUs;
    this.#bytes = bytes;
    this.#freeMemoryBytes = availableMemory();
    this.#descriptorsUsed = await openDescriptors();
  }
}

function proven(reachability: Reachability): boolean | null {
  return reachability === 'unknown' ? null : reachability === 'open';
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
