// Playing times and bit rates of the records of a query hit: LimeWire's XML at its end, GGEP "<", and the texts of old servents.
import { ggepPayload } from '../../wire/ggep.ts';
import { type PlayFacts, parseLimeXml, playFactsOf, playFactsOfNote } from '../../wire/lime-xml.ts';
import type { QueryHit } from '../../wire/query-hit.ts';

/** By position of the record; empty when no record says anything. */
export function playFactsIn({ hits, xml }: Pick<QueryHit, 'hits' | 'xml'>): readonly PlayFacts[] {
  const facts: PlayFacts[] = [];
  const note = (at: number, { seconds, kbps }: PlayFacts): void => {
    const known = facts[at];
    if (at < hits.length) facts[at] = { seconds: known?.seconds ?? seconds, kbps: known?.kbps ?? kbps };
  };
  if (xml !== null) for (const { index, fields } of parseLimeXml(xml)) note(index ?? 0, playFactsOf(fields));
  for (const [at, hit] of hits.entries()) {
    const own = hit.ggep.length === 0 ? null : ggepPayload(hit.ggep, '<');
    if (own !== null) for (const { fields } of parseLimeXml(own.toString('utf8'))) note(at, playFactsOf(fields));
    if (hit.note !== null) note(at, playFactsOfNote(hit.note));
  }
  return facts;
}
