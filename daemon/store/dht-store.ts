// Keeps over restarts what a node of the DHT needs: its KUID, made at the first start, and nodes to begin with.
import { formatKuid, parseKuid, randomKuid } from '../../protocol/dht/kuid.ts';
import type { Random } from '../../protocol/ports.ts';
import type { ServentDht } from '../../protocol/servent-dht.ts';
import type { DhtMemory } from '../../protocol/servent-dht-parts.ts';
import { endpointOrNull, formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Log } from '../log.ts';
import { PeriodicSave } from './periodic-save.ts';
import type { Table } from './table.ts';

const NODE = 'node';
const CONTACTS_MAX = 100;
/** A kill loses the nodes of this interval. */
const SAVE_INTERVAL_MS = 10_000;

export interface DhtRecord {
  /** 40 hex digits. */
  readonly kuid: string;
  /** HOST:PORT. */
  readonly contacts: readonly string[];
}

export async function dhtMemory(table: Table<DhtRecord>, random: Random): Promise<DhtMemory> {
  const stored = await table.get(NODE);
  if (isRecord(stored)) {
    const contacts = stored.contacts.slice(0, CONTACTS_MAX).flatMap(text => endpointOrNull(text) ?? []);
    return { kuid: parseKuid(stored.kuid), contacts };
  }
  const kuid = randomKuid(random);
  await table.put(NODE, { kuid: formatKuid(kuid), contacts: [] }, { durable: true });
  return { kuid, contacts: [] };
}

function isRecord(stored: unknown): stored is DhtRecord {
  if (typeof stored !== 'object' || stored === null) return false;
  const { kuid, contacts } = stored as Partial<DhtRecord>;
  const isText = (value: unknown): boolean => typeof value === 'string';
  return typeof kuid === 'string' && /^[0-9a-f]{40}$/.test(kuid) && Array.isArray(contacts) && contacts.every(isText);
}

export class DhtStore {
  readonly #table: Table<DhtRecord>;
  readonly #dht: ServentDht;
  readonly #log: Log;
  readonly saves = new PeriodicSave(SAVE_INTERVAL_MS, () => this.#save());
  #stored = '';

  constructor(table: Table<DhtRecord>, dht: ServentDht, log: Log) {
    this.#table = table;
    this.#dht = dht;
    this.#log = log;
  }

  /** Writes the nodes that are known. Those of the last run stay while there are none, such as when the DHT is off. */
  async #save(): Promise<void> {
    const contacts = this.#dht.contacts(CONTACTS_MAX).map(formatEndpoint).toSorted();
    const text = contacts.join();
    if (contacts.length === 0 || text === this.#stored) return;
    try {
      await this.#table.put(NODE, { kuid: formatKuid(this.#dht.node.kuid), contacts });
      this.#stored = text;
    } catch (err) {
      this.#log.warn({ err }, 'the nodes of the DHT could not be saved; trying again later');
    }
  }
}
