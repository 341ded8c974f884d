// Decides when to reload: lists after an event that changed them, values without events every few seconds.
import type { ListName, Model } from './model.ts';

export type Resource = ListName | 'status' | 'election' | 'history' | 'dht' | 'queries' | 'chunks';

/** Interval of values without events, in milliseconds. */
const EVERY_MS: Partial<Record<Resource, number>> = {
  status: 10_000,
  election: 10_000,
  history: 2_000,
  dht: 5_000,
  peers: 3_000,
  uploads: 3_000,
  pastTransfers: 10_000,
  downloads: 10_000,
  chunks: 2_000,
  results: 5_000,
  searches: 5_000,
  savedSearches: 10_000,
  files: 10_000,
  folders: 10_000,
  recordings: 5_000,
};
/** Shortest interval of reloads caused by events. */
const GAP_MS = 400;
/** Outdated answers that are discarded at most; then an outdated one is shown. */
const OVERTAKEN_MAX = 2;

const SHOWN: Readonly<Record<Model['view'], readonly Resource[]>> = {
  status: ['election', 'history', 'dht'],
  peers: ['peers'],
  queries: ['queries'],
  searches: ['searches', 'savedSearches', 'results'],
  downloads: ['downloads', 'chunks'],
  uploads: ['uploads', 'pastTransfers'],
  library: ['folders', 'files'],
  measure: ['analyses', 'recordings'],
};

/** Lists and values on the current view. */
export function shown({ view, search }: Pick<Model, 'view' | 'search'>): Resource[] {
  const left = search === null ? 'results' : 'savedSearches';
  return ['status', ...SHOWN[view].filter(resource => resource !== left)];
}

interface Asked {
  at: number;
  busy: boolean;
  stale: boolean;
  /** Consecutive answers that were outdated by an event. */
  overtaken: number;
}

/** Records when each resource was last requested; times in milliseconds of one clock. */
export class Refresh {
  readonly #asked = new Map<Resource, Asked>();

  /** Marks resources as outdated. */
  stale(...resources: readonly Resource[]): void {
    for (const resource of resources) this.#of(resource).stale = true;
  }

  /** Marks everything as outdated. */
  forget(): void {
    for (const asked of this.#asked.values()) asked.stale = true;
  }

  /** Returns the resources to request now and records the request. */
  due(resources: readonly Resource[], now: number): Resource[] {
    return resources.filter(resource => {
      const asked = this.#of(resource);
      const every = asked.stale ? GAP_MS : (EVERY_MS[resource] ?? Number.POSITIVE_INFINITY);
      if (asked.busy || now - asked.at < every) return false;
      asked.at = now;
      asked.busy = true;
      asked.stale = false;
      return true;
    });
  }

  /** Whether an answer is older than an event and must be discarded. */
  isOvertaken(resource: Resource): boolean {
    const asked = this.#of(resource);
    asked.overtaken = asked.stale && asked.overtaken < OVERTAKEN_MAX ? asked.overtaken + 1 : 0;
    return asked.overtaken > 0;
  }

  answered(resource: Resource): void {
    this.#of(resource).busy = false;
  }

  #of(resource: Resource): Asked {
    let asked = this.#asked.get(resource);
    if (asked === undefined) {
      asked = { at: Number.NEGATIVE_INFINITY, busy: false, stale: true, overtaken: 0 };
      this.#asked.set(resource, asked);
    }
    return asked;
  }
}

/** Turns typed text into a filter of the API: words match any text field; text with an operator is used as it is. */
export function filterOf(typed: string): string | undefined {
  const text = typed.trim();
  if (text === '') return undefined;
  if (/[=<>~"'()]/.test(text)) return text;
  return text
    .split(/\s+/)
    .map(word => `"${word.replaceAll('\\', '\\\\')}"`)
    .join(' and ');
}
