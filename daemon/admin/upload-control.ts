// The admin API's operations on uploads, bans of addresses from them, and the limits of bandwidth.
import type { Control } from '../../api/control.ts';
import { ApiError, invalid, notFound } from '../../api/errors.ts';
import { pageOf } from '../../api/page.ts';
import { subjectOf } from '../../protocol/transfer/uploads/conduct/subject.ts';
import { banView } from '../views/bans.ts';
import { type LimitedParts, limitsView } from '../views/limits.ts';
import { uploadView } from '../views/transfers.ts';
import type { ControlParts } from './control-parts.ts';

type UploadControl = Pick<Control, 'uploads' | 'cancelUpload' | 'bans' | 'addBan' | 'liftBan' | 'limits'>;

export function uploadControl(parts: Pick<ControlParts, 'fileServer' | 'bans'> & LimitedParts): UploadControl {
  const { fileServer, bans } = parts;
  return {
    uploads: input => pageOf(fileServer.list(), input, ({ id }) => id, uploadView),

    cancelUpload: ({ id }) => {
      if (!fileServer.cancel(id)) throw notFound('upload', id);
    },

    bans: input => pageOf(bans.list(), input, ({ subject }) => subject, banView),

    addBan: ({ address, for: seconds, reason }) => {
      const subject = subjectOf(address);
      if (subject === null) throw invalid('address', 'not an IP address');
      const ban = bans.add(subject, seconds === undefined ? Infinity : seconds * 1000, reason ?? null);
      if (ban === null) throw new ApiError('TOO_MANY', 'too many addresses are banned by hand: lift some first');
      return banView(ban);
    },

    /** `id`: the address, or any of its network, as the list shows them or without `/64`. */
    liftBan: ({ id }) => {
      const subject = subjectOf(id.replace(/\/64$/, ''));
      if (subject === null || !bans.lift(subject)) throw notFound('ban', id);
    },

    limits: () => limitsView(parts),
  };
}
