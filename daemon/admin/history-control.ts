// The admin API's lists of transfers and searches that are over, of their sums and of rates; and of what was recorded, with answers from it.
import type { Control } from '../../api/control.ts';
import { pageOf } from '../../api/page.ts';
import { recordingsPage } from '../views/recordings.ts';
import { pastSearchView } from '../views/searches.ts';
import { addressTallyView, fileTallyView, pastTransferView, tallyView } from '../views/transfers.ts';
import { Analyses } from './analyses.ts';
import type { ControlParts } from './control-parts.ts';

type Parts = Pick<ControlParts, 'past' | 'pastSearches' | 'recordings' | 'live' | 'history'>;

type HistoryControl = Pick<
  Control,
  | 'history'
  | 'pastTransfers'
  | 'pastSearches'
  | 'recordings'
  | 'analyses'
  | 'analysis'
  | 'totals'
  | 'addressTotals'
  | 'fileTotals'
>;

export function historyControl(parts: Parts): HistoryControl {
  const { past, pastSearches, recordings, history } = parts;
  const analyses = new Analyses(parts);
  return {
    history: () => history.view(),
    pastTransfers: ({ direction, ...page }) => {
      const all = past.newestFirst();
      const wanted = direction === undefined ? all : all.filter(transfer => transfer.direction === direction);
      return pageOf(wanted, page, ({ id, at }) => `${id}-${at}`, pastTransferView);
    },
    pastSearches: input => pageOf(pastSearches.newestFirst(), input, ({ id }) => id, pastSearchView),
    recordings: input => recordingsPage(recordings, input),
    analyses: input => analyses.questions(input),
    analysis: input => analyses.answer(input),
    totals: () => tallyView(past.tallies.all),
    addressTotals: input => pageOf(past.tallies.addresses(), input, ({ key }) => key, addressTallyView),
    fileTotals: input => pageOf(past.tallies.contents(), input, ({ key }) => key, fileTallyView),
  };
}
