// Which missing bytes a source is asked for, and how many of them.
import type { ByteRange } from '../range-set.ts';
import type { ChunkMap } from './chunk-map.ts';
import type { Rarity } from './rarity.ts';
import type { SourceTrust } from './source-trust.ts';
import type { SwarmSource } from './swarm-source.ts';

export const REQUEST_BYTES_MIN = 256 << 10;
const REQUEST_BYTES_MAX = 16 << 20;
/** How long an answer should take. */
const REQUEST_SECONDS = 10;
/** ... when a player waits for it. */
const PLAYED_SECONDS = 2;
const PLAYED_BYTES_MAX = 2 << 20;
/** Requests end at multiples of this, or of the slices of the hash tree. */
const ALIGN_BYTES = 128 << 10;

export interface ChoiceContext {
  readonly map: ChunkMap;
  readonly rarity: Rarity | null;
  /** Where a player reads; null: there is none. */
  readonly position: number | null;
  readonly trust: SourceTrust;
  /** The source's part in the sum of what all bring. */
  readonly share: number;
  readonly now: number;
}

/** Null: none of the missing bytes can be asked of it. */
export function chooseRange(source: SwarmSource, context: ChoiceContext): ByteRange | null {
  const gap = chooseGap(source, context);
  if (gap === null) return null;
  const end = gap.start + requestBytes(source, context);
  if (end >= gap.end) return gap;
  for (const align of [context.trust.sliceBytes ?? ALIGN_BYTES, ALIGN_BYTES]) {
    const aligned = end - (end % align);
    if (aligned > gap.start) return { start: gap.start, end: aligned };
  }
  return { start: gap.start, end };
}

function chooseGap(source: SwarmSource, { map, rarity, position }: ChoiceContext): ByteRange | null {
  const end = map.size ?? Number.MAX_SAFE_INTEGER;
  const ahead = position === null ? null : firstGap(offered(source, end), map, position);
  if (ahead !== null) return ahead;
  if (position === null && rarity?.matters) return rarity.rarest(source, offered(source, end), map);
  return firstGap(offered(source, end), map, 0);
}

function firstGap(offers: Iterable<ByteRange>, map: ChunkMap, from: number): ByteRange | null {
  for (const { start, end } of offers) {
    const gap = map.gap(Math.max(start, from), end, 'missing');
    if (gap !== null) return gap;
  }
  return null;
}

/** What it has, less what others should bring. */
function offered(source: SwarmSource, end: number): Iterable<ByteRange> {
  const { barred } = source;
  return barred === null ? source.offers(end) : without(source.offers(end), barred);
}

function* without(ranges: Iterable<ByteRange>, barred: { gapWithin(start: number, end: number): ByteRange | null }) {
  for (const { start, end } of ranges) {
    for (let rest = barred.gapWithin(start, end); rest !== null; rest = barred.gapWithin(rest.end, end)) yield rest;
  }
}

function requestBytes(source: SwarmSource, { map, position, trust, share, now }: ChoiceContext): number {
  const rate = source.rate.at(now);
  if (map.size === null) return REQUEST_BYTES_MIN;
  // so that all are done at the same time, and nobody has to take over what another began
  const fair = Math.max(REQUEST_BYTES_MIN, Math.ceil(map.bytes('missing') * share));
  // each further request would cost a connection
  if (source.closes) return fair;
  const trusted = Math.min(fair, Math.max(REQUEST_BYTES_MIN, trust.bytesFor(source)));
  if (position !== null) return Math.min(trusted, clamp(rate * PLAYED_SECONDS, PLAYED_BYTES_MAX));
  return Math.min(trusted, clamp(rate * REQUEST_SECONDS, REQUEST_BYTES_MAX));
}

const clamp = (bytes: number, max: number): number => Math.min(max, Math.max(REQUEST_BYTES_MIN, Math.round(bytes)));
