// Turns the API input for a download into a download request.
import type { DownloadSourceInput, StartDownloadInput } from '../../api/control.ts';
import { ApiError, invalid, notFound } from '../../api/errors.ts';
import { idBegunWith } from '../../api/prefix.ts';
import type { FoundContent } from '../../protocol/overlay/queries/found-content.ts';
import { ofContent, type Source, sourceFromAddress, sourceFromUrl } from '../../protocol/transfer/downloads/source.ts';
import { urnOrNull } from '../../protocol/wire/urn.ts';
import type { SearchRegistry } from '../network/search-registry.ts';
import { type DownloadRequest, placeholderName } from '../transfer/download-request.ts';
import { requestOfFound } from '../transfer/found-request.ts';

type ResultInput = Extract<StartDownloadInput, { result: string }>;
type UrnInput = Extract<StartDownloadInput, { urn: string }>;

/** Throws ApiError: INVALID with the field at fault, NOT_FOUND for a search or result that is gone. */
export function downloadRequest(input: ResultInput | UrnInput, searches: SearchRegistry): DownloadRequest {
  if ('search' in input) {
    const content = contentOf(searches, input.search, input.result);
    const request = requestOfFound(content);
    return { ...request, name: input.name ?? request.name };
  }
  const { sha1 = null, tigerRoot: root = null } = urnOrNull(input.urn) ?? {};
  if (sha1 === null) throw invalid('urn', 'expected a urn:sha1: or urn:bitprint:');
  return {
    sha1,
    root,
    size: input.size ?? null,
    name: input.name ?? placeholderName(sha1),
    sources: input.sources.map((given, i) => ofContent(sourceGiven(given, i), sha1)),
  };
}

/** The id of the search of which an id, or its beginning, is given. Throws ApiError. */
export function searchOf(searches: SearchRegistry, given: string): string {
  const id = searches.get(given) === null ? idBegunWith(given, searches.list(), 'searches') : given;
  if (id === null) throw notFound('search', given);
  return id;
}

function contentOf(searches: SearchRegistry, search: string, result: string): FoundContent {
  const content = searches.contents(searchOf(searches, search))?.find(({ id }) => id === result);
  if (content === undefined) throw notFound('result', result);
  return content;
}

function sourceGiven(given: DownloadSourceInput, i: number): Source {
  const address = typeof given === 'string' ? given : given.address;
  const source = sourceFromUrl(address) ?? sourceFromAddress(address);
  if (source === null)
    throw invalid(`sources.${i}`, 'expected an address such as 5.5.1.1:6346 or an http:// URL of one');
  if (typeof given === 'string') return source;
  const serventGuid = given.servent == null ? null : Buffer.from(given.servent, 'hex');
  if (given.push === true && serventGuid === null) {
    throw new ApiError('INVALID', `sources.${i}.servent: a push needs the GUID of the servent`);
  }
  return { ...source, serventGuid, push: given.push ?? false, index: given.index ?? 0, name: given.name ?? '' };
}
