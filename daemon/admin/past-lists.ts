// Lists of transfers and searches that are over, and of their sums; and of what was recorded, with answers from it.
import type {
  AddressTallyView,
  FileTallyView,
  ListRequest,
  Page,
  PastSearchView,
  PastTransfersInput,
  PastTransferView,
  RecordingView,
  TallyView,
} from '../../api/control.ts';
import { pageOf } from '../../api/page.ts';
import { recordingsPage } from '../views/recordings.ts';
import { pastSearchView } from '../views/searches.ts';
import { addressTallyView, fileTallyView, pastTransferView, tallyView } from '../views/transfers.ts';
import { Analyses } from './analyses.ts';
import type { ControlParts } from './control-parts.ts';

export class PastLists {
  readonly #parts: Pick<ControlParts, 'past' | 'pastSearches' | 'recordings' | 'live'>;

  readonly analyses: Analyses;

  constructor(parts: Pick<ControlParts, 'past' | 'pastSearches' | 'recordings' | 'live'>) {
    this.#parts = parts;
    this.analyses = new Analyses(parts);
  }

  /** Newest first, like those that follow. */
  transfers({ direction, ...page }: PastTransfersInput): Page<PastTransferView> {
    const past = this.#parts.past.newestFirst();
    const wanted = direction === undefined ? past : past.filter(transfer => transfer.direction === direction);
    return pageOf(wanted, page, ({ id, at }) => `${id}-${at}`, pastTransferView);
  }

  searches(input: ListRequest): Page<PastSearchView> {
    return pageOf(this.#parts.pastSearches.newestFirst(), input, ({ id }) => id, pastSearchView);
  }

  /** Oldest first. */
  recordings(input: ListRequest): Promise<Page<RecordingView>> {
    return recordingsPage(this.#parts.recordings, input);
  }

  totals(): TallyView {
    return tallyView(this.#parts.past.tallies.all);
  }

  addresses(input: ListRequest): Page<AddressTallyView> {
    return pageOf(this.#parts.past.tallies.addresses(), input, ({ key }) => key, addressTallyView);
  }

  files(input: ListRequest): Page<FileTallyView> {
    return pageOf(this.#parts.past.tallies.contents(), input, ({ key }) => key, fileTallyView);
  }
}
