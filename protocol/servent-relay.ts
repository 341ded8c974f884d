// The servent's part in relaying: for leaves of ours, and as a firewalled leaf that comes to a relay when its ultrapeer tells it to.
import type { Link } from './overlay/links/link.ts';
import type { OwnRole } from './overlay/neighbours/own-role.ts';
import type { Overlay } from './overlay/overlay.ts';
import type { Firewall } from './overlay/reach/firewall.ts';
import type { Random } from './ports.ts';
import { RateLimit } from './rate-limit.ts';
import { ReasonCounts } from './reason-counts.ts';
import { RelayDesk, type RelayOutcome, type RelayTicket } from './relay/relay-desk.ts';
import { RELAYS_MAX, type RelayAsk, type RelayCall, relayCallIn, relayCallItem } from './relay/relay-line.ts';
import type { Searchable } from './search/shared-file.ts';
import type { ServentSettings } from './servent-settings.ts';
import type { Shell } from './servent-shell.ts';
import type { Endpoint } from './wire/endpoint.ts';
import type { Push } from './wire/push.ts';

/** How often we come to relays when told to. */
const COMES = new RateLimit(6_000, 5);

/** What became of the pushes that asked us to come to a relay. */
const RELAY_CALL_OUTCOMES = [
  'came',
  'malformed',
  /** Not over a link to an ultrapeer of ours that relays. */
  'stranger',
  /** Others can connect to us. */
  'reachable',
  /** We have nothing of the file that was asked for. */
  'not_shared',
  'rate',
] as const;
export type RelayCallOutcome = (typeof RELAY_CALL_OUTCOMES)[number];

export interface ServentRelayParts {
  readonly random: Random;
  readonly settings: Pick<ServentSettings, 'relay'>;
  readonly role: Pick<OwnRole, 'role'>;
  readonly firewall: Pick<Firewall, 'firewalled'>;
  readonly overlay: Pick<Overlay, 'links' | 'linkTo' | 'sendPush'>;
  readonly library: Pick<Searchable, 'bySha1'>;
  /** We share a part of the file of this SHA-1; absent: of none. */
  readonly sharesPart?: ((sha1: Buffer) => boolean) | undefined;
  readonly endpoint: () => Endpoint;
  readonly shell: Pick<Shell, 'serveAtRelay'>;
}

export class ServentRelay {
  readonly desk: RelayDesk;
  readonly #parts: ServentRelayParts;
  readonly calls = new ReasonCounts<RelayCallOutcome>(RELAY_CALL_OUTCOMES);
  #comesDue = 0;

  constructor(parts: ServentRelayParts) {
    this.#parts = parts;
    this.desk = new RelayDesk({
      random: parts.random,
      relays: now => this.relays(now),
      // the leaf itself knows whether others can connect to it, and declines then
      isServed: guid => parts.overlay.linkTo(guid)?.role === 'leaf',
    });
  }

  /** The user wants us to relay, whether we can or not. */
  get wanted(): boolean {
    return this.#parts.settings.relay;
  }

  /** We relay for leaves: the user wants it, and others can connect to us. */
  relays(now: number): boolean {
    const { settings, role, firewall } = this.#parts;
    return settings.relay && role.role === 'ultrapeer' && !firewall.firewalled(now);
  }

  /** Where we can be met, as a leaf that nobody can connect to. */
  endpoints(now: number): Endpoint[] {
    const { overlay, firewall } = this.#parts;
    if (!firewall.firewalled(now)) return [];
    const relays: Endpoint[] = [];
    for (const link of overlay.links.values()) if (isRelay(link)) relays.push(link.endpoint);
    return relays.slice(0, RELAYS_MAX);
  }

  /** Somebody at `host` asks us to relay: the leaf is told to come. A ticket, or why not. */
  ask(ask: RelayAsk, host: string, now: number): RelayTicket | RelayOutcome {
    const ticket = this.desk.ask(ask, host, now);
    if (typeof ticket === 'string') return ticket;
    const { overlay, endpoint } = this.#parts;
    const ggep = [relayCallItem({ token: ticket.token, sha1: ask.sha1 })];
    const push = { serventGuid: ask.server, fileIndex: 0, endpoint: endpoint(), ipv6: null, tls: false, ggep };
    overlay.sendPush(push, now);
    return ticket;
  }

  /** A push that asks us to come to a relay: true, whether we do or not. Only the ultrapeer that relays may ask. */
  takes(push: Push, link: Link | null, now: number): boolean {
    const call = relayCallIn(push.ggep);
    if (call === null) return false;
    this.calls.count(this.#answer(call, link, now));
    return true;
  }

  #answer(call: RelayCall | 'malformed', link: Link | null, now: number): RelayCallOutcome {
    const { firewall, library, sharesPart, shell } = this.#parts;
    if (call === 'malformed') return 'malformed';
    if (link === null || !isRelay(link)) return 'stranger';
    if (!firewall.firewalled(now)) return 'reachable';
    const isShared = (library.bySha1?.(call.sha1) ?? null) !== null || sharesPart?.(call.sha1) === true;
    if (!isShared) return 'not_shared';
    const due = COMES.admit(this.#comesDue, now);
    if (due < 0) return 'rate';
    this.#comesDue = due;
    shell.serveAtRelay(link.endpoint, call);
    return 'came';
  }
}

/** What it takes of a servent: some of it is made later. */
interface RelayingServent extends Pick<ServentRelayParts, 'role' | 'firewall' | 'overlay'> {
  readonly endpoint: Endpoint;
}

/** What the servent itself is given. */
type Given = Pick<ServentRelayParts, 'random' | 'settings' | 'library' | 'sharesPart' | 'shell'>;

export function serventRelay(servent: RelayingServent, given: Given): ServentRelay {
  const { role, firewall, overlay } = servent;
  const { random, settings, library, sharesPart, shell } = given;
  const endpoint = () => servent.endpoint;
  return new ServentRelay({ random, settings, role, firewall, overlay, library, sharesPart, endpoint, shell });
}

/** We are a leaf of it, connected to where it listens, and it said that it relays. */
function isRelay({ ourRole, direction, capabilities }: Link): boolean {
  return ourRole === 'leaf' && direction === 'out' && capabilities.relays === true;
}
