// Maps errors of searches and downloads to API errors.
import { ApiError, invalid } from '../../api/errors.ts';
import { SearchError } from '../../protocol/overlay/queries/search-sessions.ts';
import { SearchInputError } from '../network/search-registry.ts';
import { TooManyDownloadsError } from '../transfer/downloads.ts';

/** Null for any other error. */
export function domainRefusal(error: unknown): ApiError | null {
  if (error instanceof SearchInputError) return invalid(error.field, error.message, error);
  if (error instanceof TooManyDownloadsError) return new ApiError('TOO_MANY', error.message, { cause: error });
  if (!(error instanceof SearchError)) return null;
  return error.code === 'SEARCH_IMPOSSIBLE'
    ? invalid('text', error.message, error)
    : new ApiError('TOO_MANY', error.message, { cause: error });
}
