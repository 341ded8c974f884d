// Runs the WebAssembly that hashes Tiger: bytes in, digests out, nothing kept from one call to the next. One engine a thread.
import { TIGER_BYTES } from '../wire/urn.ts';
import { tigerWasm } from './tiger-wasm.js';

/** Bytes of the file that a leaf of a whole tree covers (segmentsize of THEX). */
export const LEAF_BYTES = 1024;
/** What the engine takes at once. */
export const INPUT_BYTES = 1 << 20;
const NODES_MAX = INPUT_BYTES / LEAF_BYTES;

/** What the S-boxes are made of, in five passes: "Tiger: A Fast New Hash Function", Anderson and Biham, 1996. */
const TABLE_SEED = 'Tiger - A Fast New Hash Function, by Ross Anderson and Eli Biham';
const TABLE_PASSES = 5;

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly input: WebAssembly.Global;
  readonly nodes: WebAssembly.Global;
  makeTables(passes: number): void;
  digest(length: number): void;
  leaves(length: number): number;
  merge(count: number): number;
}

let shared: TigerEngine | null = null;

export class TigerEngine {
  /** To be filled before `digest` and `leaves`, which spoils it. */
  readonly input: Buffer;
  /** Digests of TIGER_BYTES, one after the other. */
  readonly nodes: Buffer;
  readonly #exports: Exports;

  private constructor() {
    const wasm = new WebAssembly.Module(Buffer.from(tigerWasm, 'base64'));
    this.#exports = new WebAssembly.Instance(wasm).exports as unknown as Exports;
    const { memory, input, nodes } = this.#exports;
    this.input = Buffer.from(memory.buffer, input.value, INPUT_BYTES);
    this.nodes = Buffer.from(memory.buffer, nodes.value, NODES_MAX * TIGER_BYTES);
    this.input.write(TABLE_SEED, 'latin1');
    this.#exports.makeTables(TABLE_PASSES);
  }

  /** Made at the first use, in about 5 ms: it holds 1.1 MB. */
  static get shared(): TigerEngine {
    shared ??= new TigerEngine();
    return shared;
  }

  /** Hashes the first bytes of the input into the first node. */
  digest(length: number): void {
    this.#exports.digest(within(length, INPUT_BYTES));
  }

  /** Hashes the first bytes of the input, each LEAF_BYTES and what is left over, into nodes; gives their number, which is 1 for no bytes. */
  leaves(length: number): number {
    return this.#exports.leaves(within(length, INPUT_BYTES));
  }

  /** Puts one level of a tree, the first `count` nodes, in the place of the level below; gives the number of its nodes. */
  merge(count: number): number {
    return this.#exports.merge(within(count, NODES_MAX));
  }
}

function within(value: number, max: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new RangeError(`${value} is not a number from 0 to ${max}`);
}

/** Hashes at most INPUT_BYTES with Tiger (192 bits, 3 passes, padding of 1996). */
export function tiger(bytes: Uint8Array): Buffer {
  const engine = TigerEngine.shared;
  engine.input.set(bytes);
  engine.digest(bytes.length);
  return Buffer.from(engine.nodes.subarray(0, TIGER_BYTES));
}

/** Gives the level above a level of any length: pairs become one node each, and one that is left over stays as it is. */
export function levelAbove(level: Uint8Array): Buffer {
  const engine = TigerEngine.shared;
  const above = Buffer.allocUnsafe(Math.ceil(level.length / (2 * TIGER_BYTES)) * TIGER_BYTES);
  let to = 0;
  for (let at = 0; at < level.length; at += engine.nodes.length) {
    const some = level.subarray(at, at + engine.nodes.length);
    engine.nodes.set(some);
    const count = engine.merge(some.length / TIGER_BYTES);
    above.set(engine.nodes.subarray(0, count * TIGER_BYTES), to);
    to += count * TIGER_BYTES;
  }
  return above;
}
