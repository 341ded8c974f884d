import t from 'tap';
import { ApiError } from '../../../api/errors.ts';
import { refusalOf } from '../../../daemon/admin/refusals.ts';
import { LibraryError } from '../../../daemon/library/library-error.ts';
import { SearchInputError } from '../../../daemon/network/search-registry.ts';
import { TooManyDownloadsError } from '../../../daemon/transfer/downloads.ts';
import { CodedError } from '../../../protocol/errors.ts';

t.test(
  'what a part of the daemon refuses reaches the caller of the API with a status and the same sentence',
  async t => {
    const full = new TooManyDownloadsError('DOWNLOADS_FULL', 'there are 10000 downloads already: cancel some');
    t.match(refusalOf(full), { code: 'TOO_MANY', status: 429, message: full.message, cause: full });
    const wrong = new SearchInputError('urn', 'expected a SHA-1');
    t.match(refusalOf(wrong), { code: 'INVALID', status: 400, faults: [{ field: 'urn' }] });
    const twice = new LibraryError('LIBRARY_FOLDER_OVERLAPS', 'shared already');
    t.match(refusalOf(twice), { code: 'CONFLICT', status: 409 });
    t.match(refusalOf(new LibraryError('LIBRARY_FOLDER_MISSING', 'not there')), { faults: [{ field: 'path' }] });
    t.equal(refusalOf(new TypeError('a mistake of ours')), null);
  },
);

t.test('errors of all layers carry their code and the name of their class', async t => {
  for (const error of [new TooManyDownloadsError('DOWNLOADS_FULL', 'x'), new ApiError('TOO_MANY', 'x')]) {
    t.ok(error instanceof CodedError);
    t.equal(error.name, error.constructor.name);
  }
});
