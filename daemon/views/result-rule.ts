// Filters of results: which are hidden, and which a saved search takes.
import { parseFilter } from '../../api/filter.ts';
import { listFields } from '../../api/outline.ts';
import { type Direct, readerOf } from '../../api/reader.ts';
import { mediaTypeOf } from '../../protocol/wire/media-type.ts';
import type { FoundResult, HideRule } from '../network/search-registry.ts';
import { resultView } from './searches.ts';

/** What filters read most, without a view of each result and its sources. */
export const resultFields: Direct<FoundResult> = {
  id: ({ content }) => content.id,
  name: ({ content }) => content.name,
  size: ({ content }) => content.size,
  folder: ({ content }) => content.folder,
  type: ({ content }) => mediaTypeOf(content.name),
  length: ({ content }) => content.seconds,
  bitrate: ({ content }) => content.kbps,
  sources: ({ content }) => content.sources,
  spam: ({ marks }) => marks,
  'spam.reason': ({ marks }) => marks.map(({ reason }) => reason),
};

/** `text` was checked; empty: nothing is accepted. Times are relative to now. */
export function accepted(text: string): (result: FoundResult) => boolean {
  if (text === '') return () => false;
  return parseFilter(text, listFields.result, Date.now()).compile(readerOf(resultView, resultFields));
}

export function hideRuleOf(text: string): HideRule {
  return { text, hides: accepted(text) };
}
