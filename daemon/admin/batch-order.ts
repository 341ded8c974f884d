// Several results of a search or browse, ordered with one call: their downloads are a batch, whose files go into one folder.
import type { StartDownloadInput, StartedDownload } from '../../api/control.ts';
import { invalid, notFound } from '../../api/errors.ts';
import { isInFolder } from '../../protocol/overlay/queries/hit-folder.ts';
import { BATCH_FILES_MAX, commonNameOf } from '../../protocol/transfer/downloads/batch.ts';
import type { FoundResult } from '../network/search-registry.ts';
import { DownloadCategories } from '../transfer/download-categories.ts';
import { requestOfFound } from '../transfer/found-request.ts';
import { accepted } from '../views/result-rule.ts';
import type { ControlParts } from './control-parts.ts';
import { searchOf } from './download-request.ts';
import { type AddDownload, startSeveral } from './several-downloads.ts';

type SeveralInput = Extract<StartDownloadInput, { results: string[] } | { folder: string } | { filter: string }>;
type Parts = Pick<ControlParts, 'batches' | 'live' | 'searches'>;

export const isOfSeveral = (input: StartDownloadInput): input is SeveralInput =>
  'results' in input || 'folder' in input || 'filter' in input;

/** Throws ApiError: NOT_FOUND for a search that is gone, INVALID when nothing or too much is chosen. */
export async function startBatch(
  { batches, live, searches }: Parts,
  input: SeveralInput,
  add: AddDownload,
): Promise<StartedDownload> {
  const search = searchOf(searches, input.search);
  const chosen = chosenOf(searches.results(search, 'results' in input ? 'show' : 'hide') ?? [], input);
  const requests = chosen.map(found => (typeof found === 'string' ? found : requestOfFound(found.content)));
  const files = chosen.flatMap(found => (typeof found === 'string' ? [] : [found.content]));
  const { folder, categories } = live.settings.downloads;
  const known = new DownloadCategories(folder, categories);
  const category = input.category ?? known.categoryOfAll(files);
  const asked = searches.get(search);
  const name = input.name ?? commonNameOf(files) ?? asked?.text ?? asked?.browse ?? 'downloads';
  const batch = await batches.create(name, known.folderOf(category));
  return startSeveral(
    requests.map(request =>
      typeof request === 'string'
        ? { name: request, unused: [], request: notFound('result', request) }
        : { name: request.name, unused: [], request },
    ),
    request => add({ ...request, category, batch }),
  );
}

/** A text: the id of a result that there is not. */
function chosenOf(results: readonly FoundResult[], input: SeveralInput): (FoundResult | string)[] {
  if ('results' in input) {
    const byId = new Map(results.map(result => [result.content.id, result]));
    return [...new Set(input.results)].map(id => byId.get(id) ?? id);
  }
  const [field, isChosen] =
    'folder' in input
      ? (['folder', ({ content }: FoundResult) => isInFolder(content.folder, input.folder)] as const)
      : (['filter', accepted(input.filter)] as const);
  const chosen = results.filter(isChosen);
  if (chosen.length === 0) throw invalid(field, `none of the ${results.length} results of the search is chosen by it`);
  if (chosen.length > BATCH_FILES_MAX)
    throw invalid(field, `chooses ${chosen.length} results, and ${BATCH_FILES_MAX} can be downloaded at once`);
  return chosen;
}
