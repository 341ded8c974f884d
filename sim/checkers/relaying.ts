// Rules of a query on its way: never to where it came from, never twice over a wire, TTL + hops never grows, a leaf passes nothing on,
// and nothing of any kind follows a Bye.

import { Type } from '../../protocol/constants.ts';
import type { HostWire } from '../servents/medium.ts';
import type { Findings } from './findings.ts';
import type { Passing } from './passing.ts';
import type { QueryPaths } from './query-paths.ts';

export class Relaying {
  readonly #paths: QueryPaths;
  readonly #findings: Findings;
  /** Over which a Bye went. */
  readonly #ended = new WeakSet<HostWire>();

  constructor(paths: QueryPaths, findings: Findings) {
    this.#paths = paths;
    this.#findings = findings;
  }

  onWritten(wire: HostWire, { type }: Passing): void {
    if (this.#ended.has(wire)) this.#find('after Bye', wire, `a descriptor of type ${type} to ${wire.to.number}`);
    if (type === Type.Bye) this.#ended.add(wire);
  }

  onQueryWritten(wire: HostWire, { guid, ttl, hops }: Passing): void {
    const { owner, to } = wire;
    const before = this.#paths.writtenTo(guid, wire);
    if (before !== null && ttl <= before)
      this.#find('sent twice', wire, `a query to ${to.number} with TTL ${ttl}, before with ${before}`);
    if (this.#paths.isOrigin(guid, owner.number)) return;
    const arrival = this.#paths.arrivalAt(guid, owner.number);
    if (arrival === null) {
      if (hops > 0) this.#find('out of nowhere', wire, `a query with ${hops} hops that it never got`);
      return;
    }
    const from = arrival.taken;
    if (from !== null && from === wire.back)
      this.#find('echo', wire, `a query back to ${to.number}, which had sent it`);
    if (wire.link?.ourRole === 'leaf') this.#find('leaf relayed', wire, `a query of others to ${to.number}`);
    if (hops <= arrival.hopsMin)
      this.#find('hops not raised', wire, `${hops} hops on, ${arrival.hopsMin} when it came`);
    // what an ultrapeer asks for its leaf has the TTL of its own choice; a leaf gets TTL 1 whatever is left
    const asksForLeaf = arrival.hopsMin === 0 && from?.link?.ourRole === 'leaf';
    const allowed = arrival.sum + (wire.link?.role === 'leaf' ? 1 : 0);
    if (!asksForLeaf && ttl + hops > allowed)
      this.#find('TTL grew', wire, `TTL ${ttl} and ${hops} hops on, ${arrival.sum} together when it came`);
  }

  onHitWritten(wire: HostWire, { hops }: Passing): void {
    if (hops > 0 && wire.link?.ourRole === 'leaf') this.#find('leaf relayed', wire, `a hit to ${wire.to.number}`);
  }

  #find(rule: string, wire: HostWire, text: string): void {
    this.#findings.add(rule, wire.owner.number, text);
  }
}
