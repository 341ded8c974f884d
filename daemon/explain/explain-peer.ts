// Which rates hold for the queries of a peer, who set them, and what they dropped: pure, from plain facts.
import type { Explanation } from '../../api/control.ts';
import { counted } from '../../api/format.ts';
import type { PeerRole } from '../../protocol/handshake/capabilities.ts';
import type { QueryRate } from '../../protocol/overlay/queries/query-rates.ts';
import type { Origin } from '../../settings/settings.ts';
import { explanation, test } from './explain.ts';

/** A rate, and the queries of this peer that were dropped for it since the connection began. */
export interface RateFacts extends QueryRate {
  readonly dropped: number;
}

export interface PeerFacts {
  readonly id: string;
  readonly role: PeerRole;
  readonly host: string;
  /** Of the link's own rate, on which that of its address depends. */
  readonly origin: Origin;
  readonly link: RateFacts;
  readonly ofAddress: RateFacts;
}

export function explainPeer({ id, role, host, origin, link, ofAddress }: PeerFacts): Explanation {
  const leaf = role === 'leaf';
  const key = leaf ? 'gnutella.leafQueriesPerSecond' : 'gnutella.queriesPerSecond';
  const mend = `if they are worth it raise ${key} (0: no limit); if not, "servent disconnect ${id}"`;
  const rate = (name: string, from: string, { perSecond, burst, dropped }: RateFacts) => {
    const holds =
      perSecond === 0
        ? `any number of queries is taken from ${from}`
        : `at most ${counted(perSecond, 'query', 'queries')} a second from ${from}, up to ${burst} at once`;
    return test(name, dropped === 0, `${holds}; ${droppedText(dropped)} (${key}: ${originText(origin)})`, mend);
  };
  return explanation(
    'none of its queries came too fast',
    leaf
      ? [rate('query rate', 'this leaf', link), rate('query rate of its address', `all leaves at ${host}`, ofAddress)]
      : [rate('query rate', `this ${role === 'legacy' ? 'peer' : 'ultrapeer'}`, link)],
  );
}

const droppedText = (dropped: number): string =>
  dropped === 0
    ? 'none of this connection was dropped'
    : `${dropped} of this connection ${dropped === 1 ? 'was' : 'were'} dropped`;

function originText({ kind, where }: Origin): string {
  if (kind === 'profile') return `default of the profile ${where}`;
  if (kind === 'default') return 'default';
  return `set by ${kind === 'environment' ? 'the environment' : `the ${kind}`} ${where ?? ''}`.trimEnd();
}
