// Creates, finds and revokes named keys of the admin API. Only a hash of each secret is stored.
import { createHash, randomBytes } from 'node:crypto';
import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Caller, Keyring } from '../../api/auth.ts';
import type { KeyScope, KeyView, KeyWithSecret, NewKeyInput } from '../../api/control.ts';
import { ApiError, invalid } from '../../api/errors.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Table } from '../store/table.ts';

const KEYS_MAX = 256;
const SECRET_BYTES = 32;
const ID_BYTES = 8;
/** Lets people and secret scanners recognise a leaked key. */
const SECRET_PREFIX = 'servent_';
/** The last use of a key is stored at most this often. */
const USE_SAVED_MS = 60_000;

export interface KeyRecord {
  name: string;
  scopes: KeyScope[];
  cidrs: string[];
  /** SHA-256 of the secret, hex. The secret has 256 random bits, so a slow hash is not needed. */
  hash: string;
  /** This and the other times: milliseconds since 1970. */
  createdAt: number;
  expiresAt: number | null;
  usedAt: number | null;
  usedFrom: string | null;
}

type Range = ReturnType<typeof ipaddr.parseCIDR>;

interface Key {
  readonly id: string;
  readonly record: KeyRecord;
  readonly ranges: readonly Range[];
  readonly caller: Caller;
}

export interface KeysOptions {
  table: Pick<Table<KeyRecord>, 'entries' | 'put' | 'delete'>;
  clock: Pick<Clock, 'wallTime'>;
  log: Log;
  /** Called when a key is removed: its streams must end. */
  onRemoved?: (id: string) => void;
}

export class Keys implements Keyring {
  readonly #options: KeysOptions;
  /** In order of creation; at most KEYS_MAX. */
  readonly #keys = new Map<string, Key>();
  readonly #byHash = new Map<string, Key>();

  constructor(options: KeysOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const records: [string, KeyRecord][] = [];
    for await (const entry of this.#options.table.entries()) records.push(entry);
    for (const [id, record] of records.sort(([, a], [, b]) => a.createdAt - b.createdAt)) this.#add(id, record);
  }

  list(): KeyView[] {
    return [...this.#keys.values()].map(key => this.#view(key));
  }

  /** Rejects with CONFLICT, TOO_MANY or INVALID. */
  async create({ name, scopes, cidrs, expiresAt }: NewKeyInput): Promise<KeyWithSecret> {
    if (this.#keys.size >= KEYS_MAX) throw new ApiError('TOO_MANY', `at most ${KEYS_MAX} keys: remove one first`);
    if (this.list().some(key => key.name === name))
      throw new ApiError('CONFLICT', `a key named ${name} exists already`);
    const createdAt = this.#options.clock.wallTime();
    const expiresAtMs = expiresAt == null ? null : Date.parse(expiresAt);
    if (expiresAtMs !== null && expiresAtMs <= createdAt) throw invalid('expiresAt', 'expected a time in the future');
    const wrong = cidrs.findIndex(cidr => rangeOf(cidr) === null);
    if (wrong >= 0) throw invalid(`cidrs.${wrong}`, 'expected an address or ADDRESS/BITS');
    const secret = SECRET_PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
    const id = randomBytes(ID_BYTES).toString('hex');
    const record: KeyRecord = {
      ...{ name, scopes: [...new Set(scopes)], cidrs, hash: hashOf(secret) },
      ...{ createdAt, expiresAt: expiresAtMs, usedAt: null, usedFrom: null },
    };
    const key = this.#add(id, record); // before the write: it reserves the name
    try {
      await this.#options.table.put(id, record, { durable: true });
    } catch (error) {
      this.#forget(key);
      throw error;
    }
    return { ...this.#view(key), secret };
  }

  /** Revokes a key at once, even when the store fails. Resolves with false for an unknown id. Rejects with StoreError. */
  async remove(id: string): Promise<boolean> {
    const key = this.#keys.get(id);
    if (key === undefined) return false;
    this.#forget(key);
    this.#options.onRemoved?.(id);
    await this.#options.table.delete(id, { durable: true });
    return true;
  }

  find(secret: string, address: string): Caller | null {
    const key = this.#byHash.get(hashOf(secret));
    if (key === undefined || this.#expired(key.record) || !isWithin(key.ranges, address)) return null;
    this.#noteUse(key, address);
    return key.caller;
  }

  /** Whether the key is still valid. Open streams ask from time to time. */
  isGood(id: string): boolean {
    const key = this.#keys.get(id);
    return key !== undefined && !this.#expired(key.record);
  }

  #add(id: string, record: KeyRecord): Key {
    const { name, scopes, cidrs, expiresAt } = record;
    const key: Key = {
      id,
      record,
      // An unreadable range matches no address. Dropping it could leave an empty list, which allows every address.
      ranges: cidrs.map(cidr => rangeOf(cidr) ?? NOWHERE),
      caller: { id, name, scopes, expiresAt: isoOrNull(expiresAt) },
    };
    this.#keys.set(id, key);
    this.#byHash.set(record.hash, key);
    return key;
  }

  #forget({ id, record }: Key): void {
    this.#keys.delete(id);
    this.#byHash.delete(record.hash);
  }

  #expired({ expiresAt }: KeyRecord): boolean {
    return expiresAt !== null && expiresAt <= this.#options.clock.wallTime();
  }

  #noteUse({ id, record }: Key, address: string): void {
    const now = this.#options.clock.wallTime();
    if (
      record.usedAt !== null &&
      now - record.usedAt < USE_SAVED_MS &&
      now >= record.usedAt &&
      record.usedFrom === address
    )
      return;
    record.usedAt = now;
    record.usedFrom = address;
    this.#options.table.put(id, record).catch((err: unknown) => {
      this.#options.log.warn({ err }, 'the use of a key could not be stored');
    });
  }

  #view({ id, record }: Key): KeyView {
    const { name, scopes, cidrs, createdAt, expiresAt, usedAt, usedFrom } = record;
    return {
      ...{ id, name, scopes, cidrs, usedFrom },
      createdAt: new Date(createdAt).toISOString(),
      expiresAt: isoOrNull(expiresAt),
      expired: this.#expired(record),
      usedAt: isoOrNull(usedAt),
    };
  }
}

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');
const isoOrNull = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

/** The unspecified address: matches no caller. */
const NOWHERE: Range = ipaddr.parseCIDR('::/128');

function rangeOf(cidr: string): Range | null {
  const whole = cidr.includes('/') ? cidr : `${cidr}/${isIPv4(cidr) ? 32 : 128}`;
  return ipaddr.isValidCIDR(whole) ? ipaddr.parseCIDR(whole) : null;
}

function isWithin(ranges: readonly Range[], address: string): boolean {
  if (ranges.length === 0) return true;
  const plain = address.split('%')[0] ?? '';
  if (!ipaddr.isValid(plain)) return false;
  const parsed = ipaddr.process(plain); // turns IPv4-mapped IPv6 into IPv4
  return ranges.some(([base, bits]) => parsed.kind() === base.kind() && parsed.match(base, bits));
}
