// Reads the block lists of the settings into the overlay's, at the start and whenever asked to again.
import { open } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BlockedRanges, type BlockList, type BlockSource } from '../../protocol/overlay/block-list.ts';
import {
  BLOCK_RANGES_MAX,
  type ParsedBlockList,
  parseBlockList,
  rangeOfAddresses,
} from '../../protocol/overlay/block-list-text.ts';
import type { Log } from '../log.ts';

const FILE_BYTES_MAX = 128 * 1024 * 1024;
/** About 5 ms of parsing. */
const SLICE_CHARS = 128 * 1024;
/** Name of the list of the setting `gnutella.block`. */
const OWN = 'settings';

export interface BlockListFiles {
  /** Addresses and CIDR blocks, checked already. */
  readonly block: readonly string[];
  readonly files: readonly string[];
}

/**
 * Never rejects: a file that cannot be read is said in the log, and what was read from it before stays in force.
 * `before` is what the last call gave.
 */
export async function readBlockLists(
  { block, files }: BlockListFiles,
  list: BlockList,
  log: Log,
  before: readonly BlockSource[] = [],
): Promise<BlockSource[]> {
  const sources: BlockSource[] = [];
  if (block.length > 0) {
    const ranges = block.map(rangeOfAddresses).filter(range => range !== null);
    sources.push({ name: OWN, ranges: new BlockedRanges(ranges) });
  }
  for (const path of files) {
    try {
      const { ranges, unreadable, cut } = await parseInSlices(await readText(path));
      const source = { name: path, ranges: new BlockedRanges(ranges) };
      sources.push(source);
      log.info({ path, ranges: source.ranges.size, unreadable, cut }, 'a block list was read');
    } catch (err) {
      const old = before.find(({ name }) => name === path);
      if (old !== undefined) sources.push(old);
      const what = old === undefined ? 'it blocks nobody' : 'what it blocked before stays blocked';
      log.error({ err, path }, `a block list could not be read: ${what}`);
    }
  }
  list.replace(sources);
  return sources;
}

/** Lets the servent breathe: half a million lines take a second. */
async function parseInSlices(text: string): Promise<ParsedBlockList> {
  const whole: ParsedBlockList = { ranges: [], unreadable: 0, cut: false };
  for (let at = 0; at < text.length && !whole.cut; ) {
    const newline = text.indexOf('\n', at + SLICE_CHARS);
    const end = newline < 0 ? text.length : newline + 1;
    const { ranges, unreadable } = parseBlockList(text.slice(at, end));
    for (const range of ranges) whole.ranges.push(range);
    whole.unreadable += unreadable;
    whole.cut = whole.ranges.length >= BLOCK_RANGES_MAX;
    at = end;
    await nextTurn();
  }
  return whole;
}

async function readText(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > FILE_BYTES_MAX) throw new RangeError(`${path} has ${size} bytes, more than any block list`);
    // P2P files come in Latin-1; the addresses are the same in both.
    return await file.readFile('latin1');
  } finally {
    await file.close();
  }
}
