// Rules of memory: no queue is above its cap, no table above its bound, and nothing is left of a link that is gone.

import { LinkState } from '../../protocol/overlay/links/link.ts';
import { SEND_LIMITS } from '../../protocol/overlay/links/send-queue.ts';
import { PUBLIC_HOSTS } from '../../protocol/overlay/neighbours/host-cache.ts';
import { PONG_LINES, PONGS_PER_LINE } from '../../protocol/overlay/pings/pong-cache.ts';
import type { Host, HostWire, Medium } from '../servents/medium.ts';
import type { Findings } from './findings.ts';

const FRAME_BYTES_MAX = 65_558;
/** Of query routes and push routes, over both generations of each. */
const ROUTES_BYTES_MAX = 64 * 1024 * 1024;
/** Legacy and handshakes under way may take so many more links than the settings say. */
const LINKS_SLACK = 5;
const PONGS_MAX = PONG_LINES * PONGS_PER_LINE;
/** Own searches, with those that are over and still take hits. */
const SEARCHES_MAX = 512;

export class Bounds {
  readonly #findings: Findings;
  /** Of connections that went in the last second. */
  #gone: HostWire[] = [];

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  onUnlinked(wire: HostWire): void {
    this.#gone.push(wire);
    if (wire.back !== null) this.#gone.push(wire.back);
  }

  onSecond({ hosts }: Medium): void {
    for (const wire of this.#gone) this.#checkGone(wire);
    this.#gone = [];
    for (const host of hosts) if (host.up) this.#check(host);
  }

  #checkGone({ owner, link }: HostWire): void {
    if (link === null || !owner.up) return;
    if (link.queue.size > 0 || link.queue.bytes > 0)
      this.#findings.add('dead link', owner.number, `${link.queue.bytes} bytes wait for a link that is gone`);
    if (owner.servent.overlay.links.get(link.id) === link)
      this.#findings.add('dead link', owner.number, `link ${link.id} is gone and still counted`);
  }

  #check(host: Host): void {
    const { servent, settings } = host;
    const { overlay } = servent;
    let leaves = 0;
    for (const link of overlay.links.values()) {
      if (link.role === 'leaf') leaves++;
      this.#bound(host, 'bytes in a queue', link.queue.bytes, SEND_LIMITS.hardBytes + FRAME_BYTES_MAX);
      const wire = host.wires.get(link.id);
      if (link.state !== LinkState.Open || wire === undefined || wire.closed)
        this.#findings.add('dead link', host.number, `link ${link.id} has no connection`);
    }
    if (leaves !== overlay.counts.leaves)
      this.#findings.add('dead link', host.number, `${leaves} leaves, ${overlay.counts.leaves} counted`);
    this.#bound(host, 'links', overlay.links.size, settings.maxLeaves + settings.maxUltrapeers + LINKS_SLACK);
    this.#bound(host, 'bytes of route tables', overlay.routeTables.bytes, ROUTES_BYTES_MAX);
    this.#bound(host, 'known hosts', servent.hosts.size, PUBLIC_HOSTS.hostsMax);
    this.#bound(host, 'cached pongs', overlay.pongs.size, PONGS_MAX);
    this.#bound(host, 'push proxies', servent.vendor.pushProxies.endpoints.length, overlay.links.size);
    let searches = 0;
    for (const _ of overlay.searches) searches++;
    this.#bound(host, 'searches', searches, SEARCHES_MAX);
  }

  #bound({ number }: Host, what: string, size: number, max: number): void {
    if (size > max) this.#findings.add('over a bound', number, `${size} ${what}, at most ${max}`);
  }
}
