// Bans of uploads as the API shows them.
import type { BanView } from '../../api/control.ts';
import { subjectText } from '../../protocol/transfer/uploads/conduct/subject.ts';
import { type BanSnapshot, banText } from '../transfer/kept-bans.ts';

export function banView(ban: BanSnapshot): BanView {
  const { subject, reason, since, until, times, turnedAway } = ban;
  return {
    id: subject,
    address: subjectText(subject),
    reason,
    text: banText(ban),
    since: new Date(since).toISOString(),
    until: until === null ? null : new Date(until).toISOString(),
    times,
    turnedAway,
  };
}
