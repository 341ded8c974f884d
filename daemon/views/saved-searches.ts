// API views of saved searches, of what they found, and of contents that are marked as bad.
import type { BadContentView, FindView, SavedSearchView } from '../../api/control.ts';
import type { Find } from '../../protocol/overlay/queries/saved-finds.ts';
import { formatBase32, formatSha1Urn } from '../../protocol/wire/urn.ts';
import type { BadContentSnapshot } from '../transfer/bad-contents.ts';
import type { SavedSearchSnapshot } from '../transfer/saved-searches.ts';

export function savedSearchView(saved: SavedSearchSnapshot): SavedSearchView {
  const { id, text, urn, filter, action, every, paused, news, running, search, runs, error } = saved;
  return {
    ...{ id, text, urn, filter, action },
    every: every ?? 'auto',
    state: paused ? 'paused' : 'active',
    new: news,
    ...{ running, search, runs },
    addedAt: isoOf(saved.addedAt),
    ranAt: saved.ranAt === null ? null : isoOf(saved.ranAt),
    dueAt: isoOf(saved.dueAt),
    error,
  };
}

export function findView({ name, size, sha1, sources, at, outcome, download, error }: Find): FindView {
  const urn = sha1 === null ? null : formatSha1Urn(Buffer.from(sha1, 'hex'));
  return { name, size, urn, sources, at: isoOf(at), outcome, download, error };
}

export function badContentView({ sha1, note, addedAt }: BadContentSnapshot): BadContentView {
  return { id: formatBase32(sha1), urn: formatSha1Urn(sha1), note, addedAt: isoOf(addedAt) };
}

const isoOf = (ms: number): string => new Date(ms).toISOString();
