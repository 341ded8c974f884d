// Starts several downloads with one call: each that is refused is told with the reason, and the others go on.
import type { StartedDownload } from '../../api/control.ts';
import { ApiError } from '../../api/errors.ts';
import type { AddedDownload, DownloadRequest } from '../transfer/download-request.ts';
import { downloadView } from '../views/transfers.ts';
import { refusalOf } from './refusals.ts';

export type AddDownload = (request: DownloadRequest) => Promise<AddedDownload>;

export interface OneOfSeveral {
  readonly name: string;
  readonly unused: readonly string[];
  /** An error: why it cannot be asked for. */
  readonly request: DownloadRequest | ApiError;
}

export function startedView(added: AddedDownload, unused: readonly string[] = []): StartedDownload {
  return { ...downloadView(added), joined: added.joined, unused: [...unused], items: null };
}

/** At least one. Gives the first that was started, with what became of each. Throws ApiError when none could be. */
export async function startSeveral(files: readonly OneOfSeveral[], add: AddDownload): Promise<StartedDownload> {
  let first: StartedDownload | null = null;
  let refusal: ApiError | null = null;
  const items: NonNullable<StartedDownload['items']> = [];
  for (const { name, unused, request } of files) {
    const said = { name, unused: [...unused] };
    try {
      if (request instanceof ApiError) throw request;
      const added = await add(request);
      items.push({ ...said, id: added.id, joined: added.joined, error: null });
      first ??= startedView(added, unused);
    } catch (error) {
      const refused = error instanceof ApiError ? error : refusalOf(error);
      if (refused === null) throw error;
      refusal ??= refused;
      items.push({ ...said, id: null, joined: null, error: refused.message });
    }
  }
  if (first === null) throw refusal ?? new ApiError('INVALID', 'there is nothing to download');
  return { ...first, items };
}
