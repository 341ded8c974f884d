// The shared files under keys: a file is announced to the node that its key belongs to, and searched for there.
import { mean } from '../statistics.ts';
import type { SearchOutcome } from '../workload/search-costs.ts';
import type { SharedFiles } from '../workload/shared-files.ts';
import { hashed } from './identifiers.ts';

export type FilePayload =
  | { readonly kind: 'announce' | 'withdraw'; readonly file: number; readonly holder: number }
  | { readonly kind: 'find'; readonly file: number; readonly search: number };

export interface FoundMessage {
  readonly kind: 'found';
  readonly search: number;
  readonly holders: readonly number[];
}

export interface KeyedFilesOptions {
  readonly files: SharedFiles;
  /** Sets a message on its way to the node of the key. */
  readonly route: (from: number, key: number, payload: FilePayload) => unknown;
  readonly network: { readonly now: number; run(): void; send(from: number, to: number, message: FoundMessage): void };
}

/** Key of a file. */
export const keyOf = (file: number): number => hashed(file, 0x6b65_7973);

export class KeyedFiles {
  readonly outcomes: SearchOutcome[] = [];
  readonly #files: SharedFiles;
  readonly #route: KeyedFilesOptions['route'];
  readonly #network: KeyedFilesOptions['network'];
  /** Announced by messages: holders of each file, at each node. */
  readonly #announced = new Map<number, Map<number, number[]>>();
  /** Placed without messages: whether a key's files are announced at the node. */
  #isPlacedAt: ((node: number, key: number) => boolean) | null = null;
  /** Who searched, for each outcome. */
  readonly searchers: number[] = [];
  readonly #begun: number[] = [];

  constructor({ files, route, network }: KeyedFilesOptions) {
    this.#files = files;
    this.#route = route;
    this.#network = network;
  }

  /** Each peer announces each of its files. */
  announce(): void {
    for (const [holder, files] of this.#files.of.entries()) {
      for (const file of files) this.#route(holder, keyOf(file), { kind: 'announce', file, holder });
      this.#network.run();
    }
  }

  /** The holder has the file no more. */
  withdraw(holder: number, file: number): void {
    this.#route(holder, keyOf(file), { kind: 'withdraw', file, holder });
  }

  /** Says where each file's holders are, as announcing would have it: in large networks, to save the messages. */
  place(isAt: (node: number, key: number) => boolean): void {
    this.#isPlacedAt = isAt;
  }

  /** Share of the files whose announcements all came to the node of the key. */
  agreement(nodeOf: (key: number) => number): number {
    return mean(
      this.#files.holders.map((holders, file) =>
        this.holdersAt(nodeOf(keyOf(file)), file).length === holders.length ? 1 : 0,
      ),
    );
  }

  holdersAt(node: number, file: number): readonly number[] {
    if (this.#isPlacedAt !== null) return this.#isPlacedAt(node, keyOf(file)) ? (this.#files.holders[file] ?? []) : [];
    return this.#announced.get(node)?.get(file) ?? [];
  }

  /** A message has come to the node that its key belongs to. */
  deliver(node: number, from: number, payload: FilePayload): void {
    if (payload.kind === 'find') {
      const { file, search } = payload;
      this.#network.send(node, from, { kind: 'found', search, holders: this.holdersAt(node, file) });
      return;
    }
    const { kind, file, holder } = payload;
    const files = this.#announced.get(node) ?? new Map<number, number[]>();
    this.#announced.set(node, files);
    const others = (files.get(file) ?? []).filter(other => other !== holder);
    files.set(file, kind === 'announce' ? [...others, holder] : others);
  }

  onFound(to: number, { search, holders }: FoundMessage): void {
    if (!holders.some(holder => holder !== to)) return;
    this.outcomes[search] = { found: true, ms: this.#network.now - (this.#begun[search] ?? 0) };
  }

  /** So many searches, one after the other. */
  search(count: number): readonly SearchOutcome[] {
    for (const { from, file } of this.#files.searches(count)) {
      const search = this.outcomes.push({ found: false, ms: 0 }) - 1;
      this.searchers.push(from);
      this.#begun[search] = this.#network.now;
      this.#route(from, keyOf(file), { kind: 'find', file, search });
      this.#network.run();
    }
    return this.outcomes;
  }
}
