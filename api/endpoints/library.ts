// Rows of the table of endpoints: shared files and folders.
import { API, change, create, get, listOf, remove } from '../endpoint.ts';
import { byId } from '../schemas/common.ts';
import * as library from '../schemas/library.ts';

export const libraryEndpoints = {
  files: get(`${API}/library/files`, {
    tag: 'library',
    doc: 'Shared files.',
    ...listOf(library.file),
  }),
  folders: get(`${API}/library/folders`, {
    tag: 'library',
    doc: 'Shared folders.',
    ...listOf(library.folder),
  }),
  shareFolder: create(`${API}/library/folders`, {
    tag: 'library',
    doc: 'Shares a folder of the machine the daemon runs on, with everything below it.',
    scope: 'admin',
    body: library.shareFolder,
    output: library.folder,
    problems: ['CONFLICT', 'TOO_MANY'],
  }),
  previewFolder: create(`${API}/library/preview`, {
    tag: 'library',
    doc: 'Preview of a shared folder: the files that would be shared, and those left out by rule.',
    scope: 'admin',
    success: 200,
    body: library.previewFolder,
    output: library.preview,
    problems: ['TOO_MANY'],
  }),
  changeFolder: change(`${API}/library/folders/:id`, {
    tag: 'library',
    doc: 'Changes what is left out of a shared folder and what strangers see of its place. What is left out now is gone at once.',
    scope: 'admin',
    params: byId,
    body: library.changeFolder,
    output: library.folder,
    problems: ['NOT_FOUND', 'CONFLICT'],
  }),
  unshareFolder: remove(`${API}/library/folders/:id`, {
    tag: 'library',
    doc: 'Stops sharing a folder; its files stay where they are.',
    scope: 'admin',
    params: byId,
    problems: ['NOT_FOUND'],
  }),
  rescan: create(`${API}/library/rescan`, {
    tag: 'library',
    doc: 'Scans the shared folders for changes.',
    success: 202,
    output: library.rescan,
  }),
  scrub: create(`${API}/library/scrub`, {
    tag: 'library',
    doc: 'Reads all shared files again in idle time, 4 MiB a second, to check that their content is that which was hashed. This happens by itself every 90 days. Folders with other content say so in `error`.',
    success: 202,
    output: library.scrub,
  }),
  rescanFolder: create(`${API}/library/folders/:id/rescan`, {
    tag: 'library',
    doc: 'Looks through one shared folder for what has changed.',
    success: 202,
    params: byId,
    output: library.folder,
    problems: ['NOT_FOUND'],
  }),
  hashing: get(`${API}/library/hashing`, {
    tag: 'library',
    doc: 'How far scanning and hashing have come.',
    output: library.hashing,
  }),
  cancelHashing: remove(`${API}/library/hashing`, {
    tag: 'library',
    doc: 'Ends scans and hashing until a rescan is asked for or the next start. What was hashed stays shared.',
  }),
} as const;
