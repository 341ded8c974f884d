// API views of our searches and of what they found.
import type { PastSearchView, ResultView, SearchView, SourceView } from '../../api/control.ts';
import type { FoundSource } from '../../protocol/overlay/queries/found-content.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { formatGuid } from '../../protocol/wire/guid.ts';
import { mediaTypeOf } from '../../protocol/wire/media-type.ts';
import { formatSha1Urn } from '../../protocol/wire/urn.ts';
import type { FoundResult, SearchSnapshot } from '../network/search-registry.ts';
import type { PastSearch } from '../transfer/transfers.ts';

export function searchView(search: SearchSnapshot): SearchView {
  const { id, text, urn, browse, type, state, error, peers, results, hits, hidden, cut } = search;
  return {
    ...{ id, text, urn, browse, type, state, error, peers, results, hits, hidden, cut },
    startedAt: isoOf(search.startedAt),
    endsAt: isoOf(search.endsAt),
    askedBefore: isoOrNull(search.askedBefore),
    askAgainAt: isoOrNull(search.askAgainAt),
  };
}

export function pastSearchView(search: PastSearch): PastSearchView {
  const { id, text, urn, browse, type, error, peers, results, hits } = search;
  return {
    ...{ id, text, urn, browse, type, error, peers, results, hits },
    startedAt: isoOf(search.startedAt),
    finishedAt: isoOf(search.at),
  };
}

export function resultView({ content, foundAt, marks }: FoundResult): ResultView {
  const { id, name, size, sha1, folder, seconds, kbps, sources } = content;
  const urn = sha1 === null ? null : formatSha1Urn(sha1);
  return {
    id,
    name,
    size,
    folder,
    type: mediaTypeOf(name),
    length: seconds,
    bitrate: kbps,
    urn,
    spam: marks.map(({ reason, text }) => ({ reason, text })),
    sources: sources.map(sourceView),
    foundAt: isoOf(foundAt),
  };
}

function sourceView(source: FoundSource): SourceView {
  return {
    address: formatEndpoint(source.endpoint),
    servent: formatGuid(source.serventGuid),
    push: source.push,
    busy: source.busy,
    index: source.index,
    name: source.name,
    vendor: source.vendor === '' ? null : source.vendor,
    speed: source.speedKbps,
    hops: source.hops,
  };
}

const isoOf = (ms: number): string => new Date(ms).toISOString();
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : isoOf(ms));
