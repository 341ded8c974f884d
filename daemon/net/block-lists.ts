// Reads the block list files of the settings into the overlay's block list.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { counted } from '../../api/format.ts';
import { BLOCK_SOURCES_MAX, BlockedRanges, type BlockList, type BlockSource } from '../../protocol/wire/block-list.ts';
import {
  BLOCK_RANGES_MAX,
  type ParsedBlockList,
  parseBlockList,
  rangeOfAddresses,
} from '../../protocol/wire/block-list-text.ts';
import type { Log } from '../log.ts';
import { readAddressFile } from './address-file.ts';

const FILE_BYTES_MAX = 128 * 1024 * 1024;
/** Characters parsed at a time: about 5 ms. */
const SLICE_CHARS = 128 * 1024;
/** Name of the list of the setting `gnutella.block`. */
const OWN = 'settings';

export interface BlockListFiles {
  /** Addresses and CIDR blocks, checked already. */
  readonly block: readonly string[];
  readonly files: readonly string[];
}

/** A block list file that is not, or not fully, in force. */
export interface BlockListFault {
  readonly path: string;
  /** The fault and its consequence. */
  readonly detail: string;
}

export interface ReadBlockLists {
  readonly sources: readonly BlockSource[];
  readonly faults: readonly BlockListFault[];
}

/**
 * Reads all lists. Never rejects: a file that cannot be read or hardly parsed is logged and reported as a fault, and its ranges from
 * `before`, the result of the last call, stay in force.
 */
export async function readBlockLists(
  { block, files }: BlockListFiles,
  list: BlockList,
  log: Log,
  before: readonly BlockSource[] = [],
): Promise<ReadBlockLists> {
  const sources: BlockSource[] = [];
  const faults: BlockListFault[] = [];
  if (block.length > 0) {
    const ranges = block.map(rangeOfAddresses).filter(range => range !== null);
    sources.push({ name: OWN, ranges: new BlockedRanges(ranges) });
  }
  for (const path of files) {
    const { source, fault } = await readOne(path, before.find(({ name }) => name === path) ?? null, log);
    const left = source !== null && sources.length >= BLOCK_SOURCES_MAX;
    if (source !== null && !left) sources.push(source);
    const detail = left ? `is one list too many: ${BLOCK_SOURCES_MAX} are used` : fault;
    if (detail === null) continue;
    faults.push({ path, detail });
    log.warn({ path }, `the block list ${path} ${detail}`);
  }
  list.replace(sources);
  return { sources, faults };
}

interface ReadOne {
  readonly source: BlockSource | null;
  readonly fault: string | null;
}

async function readOne(path: string, old: BlockSource | null, log: Log): Promise<ReadOne> {
  let parsed: ParsedBlockList;
  try {
    parsed = await parseInSlices(await readAddressFile(path, FILE_BYTES_MAX));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { source: old, fault: `could not be read (${why}): ${meaning(old)}` };
  }
  const { ranges, unreadable, cut } = parsed;
  const source = { name: path, ranges: new BlockedRanges(ranges) };
  log.info({ path, ranges: source.ranges.size, unreadable, cut }, 'a block list was read');
  if (unreadable > ranges.length) {
    const kept = old ?? (ranges.length > 0 ? source : null);
    const lines = counted(ranges.length + unreadable, 'line');
    return { source: kept, fault: `has ${lines}, of which ${ranges.length} are understood: ${meaning(kept)}` };
  }
  if (cut) return { source, fault: `has more than ${BLOCK_RANGES_MAX} ranges: the rest is left out` };
  return { source, fault: ranges.length === 0 ? `has nothing in it: ${meaning(null)}` : null };
}

function meaning(kept: BlockSource | null): string {
  return kept === null ? 'it blocks nobody' : `in force are ${counted(kept.ranges.size, 'range')} of it`;
}

/** Parses in slices and yields between them: half a million lines take a second. */
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
