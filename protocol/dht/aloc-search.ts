// Finds in the DHT who has a content: the servents of its ALOC values, after each was checked, as nobody vouches for what is published.
import { ProtocolError } from '../errors.ts';
import { ReasonCounts } from '../reason-counts.ts';
import { PLAIN_SOURCE, type Source } from '../transfer/downloads/source.ts';
import type { Endpoint } from '../wire/endpoint.ts';
import { type Aloc, parseAloc } from './aloc.ts';
import { type DhtValue, ValueType } from './dht-value.ts';
import type { ValueSearches } from './value-searches.ts';

/** Contents that are looked up at one time. */
const RUNNING_MAX = 64;

/** Why a value is not used. */
export const ALOC_DROPS = ['malformed', 'own', 'size', 'tiger_root', 'unreachable', 'no_guid', 'crowded'] as const;
export type AlocDrop = (typeof ALOC_DROPS)[number];

/** A content that is looked for, and what is known of it for certain; null: nothing. */
export interface LookedFor {
  readonly sha1: Buffer;
  readonly size: number | null;
  readonly tigerRoot: Buffer | null;
}

/** A servent that says that it has the content. */
export interface PublishedSource {
  readonly source: Source;
  /** Size and tree root of the content as it says; null: it does not. */
  readonly size: number | null;
  readonly tigerRoot: Buffer | null;
  /** Bytes that it has; null: all, or it does not say. */
  readonly available: number | null;
  /** Of the program, four characters. */
  readonly vendor: string;
}

export type OnPublishedSources = (sources: readonly PublishedSource[], now: number) => void;

export interface AlocSearchParts {
  readonly searches: Pick<ValueSearches, 'find'>;
  /** 16 bytes. */
  readonly serventGuid: Buffer;
  /** Whether an address may be dialled because others name it. */
  readonly mayReach: (endpoint: Endpoint) => boolean;
}

export class AlocSearch {
  readonly drops = new ReasonCounts<AlocDrop>(ALOC_DROPS);
  readonly #parts: AlocSearchParts;
  #running = 0;
  /** Lookups so far, and servents that they have found. */
  asked = 0;
  found = 0;

  constructor(parts: AlocSearchParts) {
    this.#parts = parts;
  }

  /** `onEnd` is called once: at once when the DHT is not ready or too many are looked up, else within 3 minutes, mostly within some seconds. */
  find(wanted: LookedFor, now: number, onEnd: OnPublishedSources): void {
    if (this.#running >= RUNNING_MAX) {
      this.drops.count('crowded');
      onEnd([], now);
      return;
    }
    this.#running++;
    this.asked++;
    this.#parts.searches.find(wanted.sha1, ValueType.AltLocation, now, (values, at) => {
      this.#running--;
      const sources = values.flatMap(value => this.#sourceOf(value, wanted));
      this.found += sources.length;
      onEnd(sources, at);
    });
  }

  #sourceOf(value: DhtValue, wanted: LookedFor): PublishedSource[] {
    const source = this.#read(value, wanted);
    if (typeof source !== 'string') return [source];
    this.drops.count(source);
    return [];
  }

  #read({ data, version, creator }: DhtValue, wanted: LookedFor): PublishedSource | AlocDrop {
    const aloc = parsed(data, version);
    if (aloc === null) return 'malformed';
    const { serventGuid, firewalled, port, length, tigerRoot, available } = aloc;
    if (serventGuid.equals(this.#parts.serventGuid)) return 'own';
    if (wanted.size !== null && length !== null && length !== wanted.size) return 'size';
    if (wanted.tigerRoot !== null && tigerRoot?.equals(wanted.tigerRoot) === false) return 'tiger_root';
    const hasGuid = serventGuid.some(byte => byte !== 0);
    const endpoint = { host: creator.endpoint.host, port };
    // a firewalled one is reached by a push, wherever it is
    if (firewalled && !hasGuid) return 'no_guid';
    if (!firewalled && !this.#parts.mayReach(endpoint)) return 'unreachable';
    const guid = hasGuid ? Buffer.from(serventGuid) : null;
    return {
      source: { ...PLAIN_SOURCE, endpoint, serventGuid: guid, push: firewalled },
      ...{ size: length, available, vendor: creator.vendor },
      tigerRoot: tigerRoot === null ? null : Buffer.from(tigerRoot),
    };
  }
}

function parsed(data: Buffer, version: number): Aloc | null {
  try {
    return parseAloc(data, version);
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}
