// Bans of uploads, as admins see, make and lift them.
import type { BanView, ListRequest, NewBanInput, Page } from '../../api/control.ts';
import { ApiError, invalid, notFound } from '../../api/errors.ts';
import { pageOf } from '../../api/page.ts';
import { subjectOf } from '../../protocol/transfer/uploads/conduct/subject.ts';
import type { KeptBans } from '../transfer/kept-bans.ts';
import { banView } from '../views/bans.ts';

export class Banned {
  readonly #bans: KeptBans;

  constructor(bans: KeptBans) {
    this.#bans = bans;
  }

  /** Newest first. */
  list(input: ListRequest): Page<BanView> {
    return pageOf(this.#bans.list(), input, ({ subject }) => subject, banView);
  }

  add({ address, for: seconds, reason }: NewBanInput): BanView {
    const subject = subjectOf(address);
    if (subject === null) throw invalid('address', 'not an IP address');
    const ban = this.#bans.add(subject, seconds === undefined ? Infinity : seconds * 1000, reason ?? null);
    if (ban === null) throw new ApiError('TOO_MANY', 'too many addresses are banned by hand: lift some first');
    return banView(ban);
  }

  /** `id`: the address, or any of its network, as `list` shows them or without `/64`. */
  lift(id: string): void {
    const subject = subjectOf(id.replace(/\/64$/, ''));
    if (subject === null || !this.#bans.lift(subject)) throw notFound('ban', id);
  }
}
