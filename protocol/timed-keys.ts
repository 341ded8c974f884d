// A set whose keys expire, in two generations, so that no sweep is needed.

export class TimedKeys<K = string> {
  readonly #lifeMs: number;
  readonly #keysMax: number;
  /** At most keysMax / 2 each; key to when it was added last. Made with the first key. */
  #young: Map<K, number> | null = null;
  #old: Map<K, number> | null = null;
  #since: number;

  constructor(lifeMs: number, keysMax: number, now: number) {
    this.#lifeMs = lifeMs;
    this.#keysMax = keysMax;
    this.#since = now;
  }

  get size(): number {
    return (this.#young?.size ?? 0) + (this.#old?.size ?? 0);
  }

  add(key: K, now: number): void {
    this.#age(now);
    this.#young ??= new Map();
    this.#young.set(key, now);
  }

  /** Whether the key was added within `lifeMs`; false too if keysMax / 2 others came after it. */
  has(key: K, now: number): boolean {
    const at = this.#young?.get(key) ?? this.#old?.get(key);
    return at !== undefined && now - at < this.#lifeMs;
  }

  delete(key: K): void {
    this.#young?.delete(key);
    this.#old?.delete(key);
  }

  #age(now: number): void {
    if (now - this.#since < this.#lifeMs && (this.#young?.size ?? 0) < this.#keysMax / 2) return;
    this.#old = this.#young;
    this.#young = null;
    this.#since = now;
  }
}
