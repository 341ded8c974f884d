// Rows of the table of endpoints: uploads, bans from them, and limits of bandwidth.
import { API, create, get, listOf, remove } from '../endpoint.ts';
import * as bans from '../schemas/bans.ts';
import { byId } from '../schemas/common.ts';
import * as limits from '../schemas/limits.ts';
import * as transfers from '../schemas/transfers.ts';

export const uploadEndpoints = {
  limits: get(`${API}/limits`, {
    tag: 'transfers',
    doc: 'Limits of bandwidth that hold now: value, origin, what is used; and the monthly budget.',
    output: limits.limits,
  }),
  uploads: get(`${API}/uploads`, {
    tag: 'uploads',
    doc: 'Running and queued uploads, also those that wait without a connection.',
    ...listOf(transfers.upload),
  }),
  bans: get(`${API}/bans`, {
    tag: 'uploads',
    doc: 'Addresses that are banned from uploads, newest first.',
    ...listOf(bans.ban),
  }),
  addBan: create(`${API}/bans`, {
    tag: 'uploads',
    doc: 'Bans an address from uploads and ends those that it has. Its links to other servents and its queries are not concerned.',
    body: bans.newBan,
    output: bans.ban,
    problems: ['TOO_MANY'],
  }),
  liftBan: remove(`${API}/bans/:id`, {
    tag: 'uploads',
    doc: 'Lifts a ban; its `id` is the address.',
    params: byId,
    problems: ['NOT_FOUND'],
  }),
  cancelUpload: remove(`${API}/uploads/:id`, {
    tag: 'uploads',
    doc: 'Aborts an upload or removes it from the queue; one that waits without a connection is asked for by its queue id.',
    params: byId,
    problems: ['NOT_FOUND'],
  }),
} as const;
