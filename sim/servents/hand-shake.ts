// The handshake of two virtual hosts, in one moment: their own machines exchange what they would send.
import { Handshake, type HandshakeOutcome } from '../../protocol/handshake/handshake.ts';
import type { Servent } from '../../protocol/servent.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';

export interface Ends {
  readonly dialler: Servent;
  /** Where it is called from: the system gives each connection a port of its own. */
  readonly from: Endpoint;
  readonly listener: Servent;
  readonly at: Endpoint;
}

export interface Outcomes {
  readonly ours: HandshakeOutcome | null;
  readonly theirs: HandshakeOutcome | null;
}

export function shakeHands({ dialler, from, listener, at }: Ends, now: number): Outcomes {
  const ours = machineOf(dialler, at, 'out', now);
  const theirs = machineOf(listener, from, 'in', now);
  while (ours.outcome === null || theirs.outcome === null) {
    const out = ours.take();
    if (out.length > 0 && theirs.outcome === null) theirs.feed(out);
    const back = theirs.take();
    if (back.length > 0 && ours.outcome === null) ours.feed(back);
    else if (out.length === 0) break;
  }
  return { ours: ours.outcome, theirs: theirs.outcome };
}

function machineOf(servent: Servent, remote: Endpoint, direction: 'in' | 'out', now: number): Handshake {
  return new Handshake({
    direction,
    local: servent.hello(),
    remoteAddress: remote.host,
    admit: peer => servent.admit(peer, remote, direction, now),
    tryUltrapeers: () => servent.tryUltrapeers(now),
    crawl: () => servent.crawl(remote, now),
  });
}
