// Lists of transfers and searches that are over, and of their sums.
import type {
  AddressTallyView,
  FileTallyView,
  ListRequest,
  Page,
  PastSearchView,
  PastTransfersInput,
  PastTransferView,
  TallyView,
} from '../../api/control.ts';
import { pageOf } from '../../api/page.ts';
import { pastSearchView } from '../views/searches.ts';
import { addressTallyView, fileTallyView, pastTransferView, tallyView } from '../views/transfers.ts';
import type { ControlParts } from './control-parts.ts';

export class PastLists {
  readonly #parts: Pick<ControlParts, 'past' | 'pastSearches'>;

  constructor(parts: Pick<ControlParts, 'past' | 'pastSearches'>) {
    this.#parts = parts;
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
