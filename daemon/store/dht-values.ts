// Keeps over restarts the values that the node of the DHT holds for others.
import { isDeepStrictEqual } from 'node:util';
import type { Dht } from '../../protocol/dht/dht.ts';
import { VALUE_DATA_BYTES_MAX } from '../../protocol/dht/dht-value.ts';
import { KUID_BYTES } from '../../protocol/dht/kuid.ts';
import { type StoredValue, VALUES_MAX } from '../../protocol/dht/value-store.ts';
import { canonicalHost, endpointOrNull, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { PeriodicSave } from './periodic-save.ts';
import type { Change, Table } from './table.ts';

/** A kill loses the values of this interval. */
const SAVE_INTERVAL_MS = 30_000;
/** Records written in one turn of the event loop. */
const BATCH = 500;
/** Default of `changesMax`. */
const CHANGES_MAX = 4 * BATCH;

export interface DhtValueRecord {
  /** KUID in hex, vendor and HOST:PORT of who published it. */
  readonly creator: string;
  readonly vendor: string;
  readonly address: string;
  /** KUID in hex. */
  readonly key: string;
  readonly type: string;
  readonly version: number;
  /** Base64. */
  readonly data: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** Addresses whose quotas it counts against. */
  readonly charged: readonly string[];
  readonly original: boolean;
  /** When its creator brought it first, in milliseconds since 1970; absent in records of earlier versions. */
  readonly since?: number;
}

/** Those that have not expired, with times that count from now. What has expired or is damaged is deleted. */
export async function keptValues(table: Table<DhtValueRecord>, clock: Pick<Clock, 'wallTime'>): Promise<StoredValue[]> {
  const values: StoredValue[] = [];
  const useless: Change<DhtValueRecord>[] = [];
  const now = clock.wallTime();
  for await (const [name, record] of table.entries()) {
    const value = storedIn(record, now);
    const leftMs = (value?.expiresAt ?? now) - now;
    if (value !== null && leftMs > 0 && values.length < VALUES_MAX)
      values.push({ ...value, expiresAt: leftMs, since: Math.min(0, value.since - now) });
    else useless.push({ type: 'del', key: name });
  }
  for (let at = 0; at < useless.length; at += BATCH) await table.batch(useless.slice(at, at + BATCH));
  return values;
}

export interface DhtValueStoreParts {
  readonly table: Table<DhtValueRecord>;
  readonly node: Pick<Dht, 'mode' | 'parts'>;
  readonly clock: Pick<Clock, 'now' | 'wallTime'>;
  readonly log: Log;
  /** Written at one time while the servent runs: others follow at the next. */
  readonly changesMax?: number;
}

export class DhtValueStore {
  readonly #parts: DhtValueStoreParts;
  /** As written, by the names of the records; null: not read yet. */
  #stored: Map<string, StoredValue | null> | null = null;
  readonly saves = new PeriodicSave(SAVE_INTERVAL_MS, isLast => this.#save(isLast));

  constructor(parts: DhtValueStoreParts) {
    this.#parts = parts;
  }

  /** Writes what has changed. Those of the last run stay while the node does not answer others, and so holds none. */
  async #save(isLast: boolean): Promise<void> {
    const { node, table, log, changesMax = CHANGES_MAX } = this.#parts;
    const held = node.mode === 'active' ? node.parts?.values.held() : undefined;
    if (held === undefined) return;
    try {
      this.#stored ??= await namesIn(table);
      const changes = this.#changes(held, this.#stored, isLast ? Number.POSITIVE_INFINITY : changesMax);
      for (let at = 0; at < changes.length; at += BATCH) await this.#write(changes.slice(at, at + BATCH));
    } catch (err) {
      this.#stored = null; // what is there is read again
      log.warn({ err }, 'the values that the node of the DHT holds could not be saved; trying again later');
    }
  }

  #changes(
    held: Iterable<StoredValue>,
    stored: ReadonlyMap<string, StoredValue | null>,
    changesMax: number,
  ): Written[] {
    const changes: Written[] = [];
    const gone = new Set(stored.keys());
    for (const value of held) {
      const name = nameOf(value);
      gone.delete(name);
      if (stored.get(name) !== value && changes.length < changesMax) changes.push({ name, value });
    }
    for (const name of gone) if (changes.length < changesMax) changes.push({ name, value: null });
    return changes;
  }

  async #write(changes: readonly Written[]): Promise<void> {
    const { clock, table } = this.#parts;
    const sinceMs = clock.wallTime() - clock.now();
    await table.batch(
      changes.map(({ name, value }) =>
        value === null ? { type: 'del', key: name } : { type: 'put', key: name, value: recordOf(value, sinceMs) },
      ),
    );
    for (const { name, value } of changes) {
      if (value === null) this.#stored?.delete(name);
      else this.#stored?.set(name, value);
    }
  }
}

/** Null: it is held no more. */
interface Written {
  readonly name: string;
  readonly value: StoredValue | null;
}

async function namesIn(table: Table<DhtValueRecord>): Promise<Map<string, null>> {
  const names = new Map<string, null>();
  for await (const [name] of table.entries()) names.set(name, null);
  return names;
}

function nameOf({ key, creator: { kuid, endpoint }, type }: StoredValue): string {
  const hexType = Buffer.from(type, 'latin1').toString('hex');
  return `${key.toString('hex')} ${kuid.toString('hex')} ${hexType} ${endpoint.host}`;
}

/** `sinceMs`: from 1970 to the zero of the clock that the value's times are of. */
function recordOf(value: StoredValue, sinceMs: number): DhtValueRecord {
  const { creator, key, type, version, data, expiresAt, charged, original, since } = value;
  return {
    creator: creator.kuid.toString('hex'),
    vendor: creator.vendor,
    address: formatEndpoint(creator.endpoint),
    key: key.toString('hex'),
    ...{ type, version, charged, original },
    data: data.toString('base64'),
    expiresAt: Math.round(expiresAt + sinceMs),
    since: Math.round(since + sinceMs),
  };
}

/** Null for what cannot have been written by recordOf(). */
function storedIn(record: unknown, now: number): StoredValue | null {
  if (typeof record !== 'object' || record === null) return null;
  const {
    creator,
    vendor,
    address,
    key,
    type,
    version,
    data,
    expiresAt,
    charged,
    original,
    since = now,
  } = record as Partial<DhtValueRecord>;
  if (!isFourCharacters(vendor) || !isFourCharacters(type) || typeof data !== 'string') return null;
  if (!Number.isInteger(version) || (version ?? -1) < 0 || (version ?? 0) > 0xffff) return null;
  if (typeof expiresAt !== 'number' || !Number.isFinite(expiresAt) || typeof original !== 'boolean') return null;
  if (typeof since !== 'number' || !Number.isFinite(since)) return null;
  const endpoint = typeof address === 'string' ? endpointOrNull(address) : null;
  const hosts = Array.isArray(charged) ? charged.map(host => canonicalHost(String(host))) : [];
  const kuids = [kuidOf(creator), kuidOf(key)] as const;
  const bytes = Buffer.from(data, 'base64');
  if (endpoint === null || hosts.length === 0 || hosts.length > 2 || bytes.length > VALUE_DATA_BYTES_MAX) return null;
  if (kuids[0] === null || kuids[1] === null || !isDeepStrictEqual(hosts, charged)) return null;
  return {
    creator: { vendor, version: 0, kuid: kuids[0], endpoint },
    ...{ key: kuids[1], type, version: version ?? 0, data: bytes, expiresAt, charged: charged ?? [], original, since },
  };
}

function isFourCharacters(text: unknown): text is string {
  return typeof text === 'string' && text.length === 4 && Buffer.from(text, 'latin1').toString('latin1') === text;
}

function kuidOf(text: unknown): Buffer | null {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'hex') : null;
  return bytes?.length === KUID_BYTES ? bytes : null;
}
