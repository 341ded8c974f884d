// What is asked for when: lists after an event that changed them, numbers that no event tells of every few seconds.
import type { ListName, Model } from './model.ts';

export type Resource = ListName | 'status' | 'election' | 'history' | 'queries';

/** Milliseconds between two looks, of those that are due without an event. */
const EVERY_MS: Partial<Record<Resource, number>> = {
  status: 10_000,
  election: 10_000,
  history: 2_000,
  peers: 3_000,
  uploads: 3_000,
  downloads: 10_000,
  results: 5_000,
  searches: 5_000,
  files: 10_000,
  folders: 10_000,
};
/** However many events there are. */
const GAP_MS = 400;
/** Of a list that never rests an old answer is better than none. */
const OVERTAKEN_MAX = 2;

const SHOWN: Readonly<Record<Model['view'], readonly Resource[]>> = {
  status: ['election', 'history'],
  peers: ['peers'],
  queries: ['queries'],
  searches: ['searches', 'results'],
  downloads: ['downloads'],
  uploads: ['uploads'],
  library: ['folders', 'files'],
};

/** What the page shows now. */
export function shown({ view, search }: Pick<Model, 'view' | 'search'>): Resource[] {
  return ['status', ...SHOWN[view].filter(resource => resource !== 'results' || search !== null)] as Resource[];
}

interface Asked {
  at: number;
  busy: boolean;
  stale: boolean;
  /** How often running an event came before the answer. */
  overtaken: number;
}

/** When each was last asked for; times in milliseconds of any one clock. */
export class Refresh {
  readonly #asked = new Map<Resource, Asked>();

  /** It is no longer what is shown. */
  stale(...resources: readonly Resource[]): void {
    for (const resource of resources) this.#of(resource).stale = true;
  }

  /** Whatever was known may be of yesterday. */
  forget(): void {
    for (const asked of this.#asked.values()) asked.stale = true;
  }

  /** Of these, the ones to ask for now; they count as asked. */
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

  /** True: the answer that came is older than an event, and is to be thrown away. */
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

/** Words are looked for anywhere; a text with an operator is taken as the API's filter language. */
export function filterOf(typed: string): string | undefined {
  const text = typed.trim();
  if (text === '') return undefined;
  if (/[=<>~"'()]/.test(text)) return text;
  return text
    .split(/\s+/)
    .map(word => `"${word.replaceAll('\\', '\\\\')}"`)
    .join(' and ');
}
