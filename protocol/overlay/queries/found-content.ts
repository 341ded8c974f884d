// One content that a search has found, and the servents that have it.
import type { Endpoint } from '../../wire/endpoint.ts';

/** One servent that has the content. */
export interface FoundSource {
  readonly endpoint: Endpoint;
  readonly serventGuid: Buffer;
  readonly push: boolean;
  readonly busy: boolean | null;
  readonly index: number;
  readonly name: string;
  readonly vendor: string;
  readonly speedKbps: number;
  readonly hops: number | null;
  readonly pushProxies: readonly Endpoint[];
  /** Where it takes streams by UDP; null: nowhere that it says. */
  readonly rudp: Endpoint | null;
  /** Relays at which it can be met. */
  readonly relays?: readonly Endpoint[];
}

/** One content: the same SHA-1, or without one the same name and size. */
export interface FoundContent {
  /** Counted from 1 in the order of finding. */
  readonly id: string;
  /** That of the first servent that tells it; the URN of its hash: the DHT alone knows of it so far. */
  name: string;
  /** 0: nobody tells it. */
  size: number;
  readonly sha1: Buffer | null;
  /** Of the file at the first servent that tells it; `/` between its parts; null: none does. */
  folder: string | null;
  /** Milliseconds of the clock that `now` is of. */
  readonly foundAt: number;
  /** Playing time and bit rate, as the first servent says that tells them; null: none does. */
  seconds: number | null;
  kbps: number | null;
  readonly sources: FoundSource[];
}
