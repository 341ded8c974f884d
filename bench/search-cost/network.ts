// The network of 60 in which searches are counted, in memory and over TCP: its shape, what everybody shares, what is asked.
import { contentOf, type TwoTierShape } from '../../test/support/two-tier.ts';

export const SHAPE: TwoTierShape = { ultrapeers: 12, leaves: 48, degree: 6, ultrapeersPerLeaf: 3 };

export const SERVENTS = SHAPE.ultrapeers + SHAPE.leaves;

/**
 * Messages of a flood in which everybody passes on the first copy alone: over each link one each way, save for the way the
 * first one came. Ours takes more, as a later copy with more TTL travels on.
 */
export const FLOOD = SHAPE.ultrapeers * SHAPE.degree + 2 * SHAPE.leaves * SHAPE.ultrapeersPerLeaf - (SERVENTS - 1);

const POPULAR = 'popular holiday song.mp3';

/** Half of all have the popular file, half an album of twelve; each has one of its own. */
export function shares(index: number): string[] {
  const names = [`rare${index}x thing.txt`, `common words of ${index}.txt`];
  if (index % 2 === 1) names.push(POPULAR);
  if (index % 2 === 0)
    for (let track = 0; track < 12; track++) names.push(`famous album track${track} by ${index}.ogg`);
  return names;
}

/** Who has the rare file that is searched for. */
export const RARE = 37;

export const QUESTIONS = {
  popularByHash: { text: '', urns: [contentOf(POPULAR)] },
  popularByHashAndWords: { text: 'popular holiday', urns: [contentOf(POPULAR)] },
  albumByWords: { text: 'famous album' },
  oneCopyEachByWords: { text: 'popular holiday' },
  rareByWords: { text: `rare${RARE}x thing` },
  nowhere: { text: 'nothing like it' },
} as const;
