// Randomness of a simulation: xoshiro128** of Blackman and Vigna, seeded by splitmix32. The same seed gives the same numbers everywhere.
import type { Random } from '../protocol/ports.ts';
import { markGuid } from '../protocol/wire/guid.ts';
import { cosOfTurns, exp, log } from './exact-math.ts';

export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    let state = seed | 0;
    const mix = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let z = state ^ (state >>> 16);
      z = Math.imul(z, 0x21f0aaad);
      z ^= z >>> 15;
      z = Math.imul(z, 0x735a2d97);
      return (z ^ (z >>> 15)) | 0;
    };
    this.#a = mix();
    this.#b = mix();
    this.#c = mix();
    this.#d = mix() | 1; // never all zero
  }

  /** 32 bits, unsigned. */
  next(): number {
    const b = this.#b;
    const times5 = Math.imul(b, 5);
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0;
    const t = b << 9;
    this.#c ^= this.#a;
    this.#d ^= b;
    this.#b = b ^ this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** In [0, 1). */
  float(): number {
    return this.next() / 0x1_0000_0000;
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.float() * bound);
  }

  chance(probability: number): boolean {
    return this.float() < probability;
  }

  /** One of them; throws RangeError when there is none. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('nothing to pick from');
    return items[this.below(items.length)] as T;
  }

  /** `count` different ones, or all when there are fewer, in random order. */
  sample<T>(items: readonly T[], count: number): T[] {
    const rest = [...items];
    const taken = Math.min(count, rest.length);
    for (let i = 0; i < taken; i++) swap(rest, i, i + this.below(rest.length - i));
    rest.length = taken;
    return rest;
  }

  shuffle<T>(items: readonly T[]): T[] {
    return this.sample(items, items.length);
  }

  /** Exponentially distributed. */
  exponential(mean: number): number {
    return -log(1 - this.float()) * mean;
  }

  /** Of the standard normal distribution (Box and Muller). */
  normal(): number {
    return Math.sqrt(-2 * log(1 - this.float())) * cosOfTurns(this.float());
  }

  /** Log-normally distributed: `median`, and sigma of its logarithm. */
  logNormal(median: number, sigma: number): number {
    return median * exp(sigma * this.normal());
  }

  fill(target: Uint8Array): void {
    for (let i = 0; i < target.length; i += 4) {
      const bits = this.next();
      for (let j = i; j < Math.min(i + 4, target.length); j++) target[j] = bits >>> (8 * (j - i));
    }
  }

  guid(): Buffer {
    const guid = Buffer.alloc(16);
    this.fill(guid);
    return markGuid(guid);
  }

  /** A generator of its own: what it draws changes nothing here, whatever it draws. */
  fork(): SeededRandom {
    return new SeededRandom(this.next());
  }
}

function swap<T>(items: T[], i: number, j: number): void {
  const kept = items[i] as T;
  items[i] = items[j] as T;
  items[j] = kept;
}
