// Turns the API input for a download (search result, magnet link or URN) into a download request.
import type { DownloadSourceInput, StartDownloadInput } from '../../api/control.ts';
import { ApiError, invalid, notFound } from '../../api/errors.ts';
import { idBegunWith } from '../../api/prefix.ts';
import type { FoundContent, FoundSource } from '../../protocol/overlay/queries/found-contents.ts';
import {
  PLAIN_SOURCE,
  type Source,
  sourceFromAddress,
  sourceFromUrl,
} from '../../protocol/transfer/downloads/source.ts';
import { parseMagnet } from '../../protocol/wire/magnet.ts';
import { formatSha1Urn, urnOrNull } from '../../protocol/wire/urn.ts';
import type { SearchRegistry } from '../network/search-registry.ts';
import type { DownloadRequest } from '../transfer/downloads.ts';

/** Throws ApiError: INVALID with the field at fault, NOT_FOUND for a search or result that is gone. */
export function downloadRequest(input: StartDownloadInput, searches: SearchRegistry): DownloadRequest {
  if ('magnet' in input) return fromMagnet(input.magnet);
  if ('search' in input) {
    const content = contentOf(searches, input.search, input.result);
    return {
      sha1: content.sha1,
      size: content.size,
      name: input.name ?? content.name,
      sources: content.sources.map(sourceFound),
    };
  }
  const sha1 = urnOrNull(input.urn)?.sha1 ?? null;
  if (sha1 === null) throw invalid('urn', 'expected a urn:sha1: or urn:bitprint:');
  return {
    sha1,
    size: input.size ?? null,
    name: input.name ?? formatSha1Urn(sha1),
    sources: input.sources.map(sourceGiven),
  };
}

function contentOf(searches: SearchRegistry, search: string, result: string): FoundContent {
  const id = searches.get(search) === null ? idBegunWith(search, searches.list(), 'searches') : search;
  const contents = id === null ? null : searches.contents(id);
  if (contents === null) throw notFound('search', search);
  const content = contents.find(({ id }) => id === result);
  if (content === undefined) throw notFound('result', result);
  return content;
}

function sourceFound({ endpoint, serventGuid, push, index, name, pushProxies }: FoundSource): Source {
  return { ...PLAIN_SOURCE, endpoint, serventGuid, push, index, name, pushProxies };
}

function fromMagnet(text: string): DownloadRequest {
  const magnet = parseMagnet(text);
  const sources = magnet.sources.flatMap(url => sourceFromUrl(url) ?? []);
  if (magnet.sha1 === null && sources.length === 0) {
    throw invalid('magnet', 'the magnet link has neither xt=urn:sha1:… nor a usable source (xs=, as=)');
  }
  const name = magnet.name ?? (magnet.sha1 === null ? 'download' : formatSha1Urn(magnet.sha1));
  return { sha1: magnet.sha1, size: magnet.size, name, sources };
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
