// Rows of the table of endpoints: rates, and what is over.
import { API, get, listOf } from '../endpoint.ts';
import { listQuery, pageOf } from '../schemas/common.ts';
import * as monitor from '../schemas/monitor.ts';
import * as searches from '../schemas/searches.ts';
import * as transfers from '../schemas/transfers.ts';

export const historyEndpoints = {
  history: get(`${API}/history`, {
    tag: 'status',
    doc: 'Rates of the latest minute and hour since the start of the daemon, and of the latest day, month and year.',
    output: monitor.history,
  }),
  pastTransfers: get(`${API}/history/transfers`, {
    tag: 'history',
    doc: 'Finished uploads and downloads, newest first.',
    query: listQuery(transfers.pastTransfer).extend({
      direction: transfers.direction.optional().describe('only uploads, or only downloads'),
    }),
    output: pageOf(transfers.pastTransfer),
  }),
  pastSearches: get(`${API}/history/searches`, {
    tag: 'history',
    doc: 'Own searches that are over, newest first. Their results are not kept.',
    ...listOf(searches.pastSearch),
  }),
  totals: get(`${API}/history/totals`, {
    tag: 'history',
    doc: 'Bytes and numbers of all transfers since the data folder was made.',
    output: transfers.tally,
  }),
  addressTotals: get(`${API}/history/addresses`, {
    tag: 'history',
    doc: 'The same by address, the latest first; those of the last 10,000 addresses.',
    ...listOf(transfers.addressTally),
  }),
  fileTotals: get(`${API}/history/files`, {
    tag: 'history',
    doc: 'The same by content, the latest first; those of the last 10,000 contents.',
    ...listOf(transfers.fileTally),
  }),
} as const;
