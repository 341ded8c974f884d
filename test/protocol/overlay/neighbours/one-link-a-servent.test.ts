// One link a servent, whichever side dials and in whatever order the handshakes of two dials arrive.
import t from 'tap';
import { Handshake, type HandshakeAccepted } from '../../../../protocol/handshake/handshake.ts';
import { type Link, LinkState } from '../../../../protocol/overlay/links/link.ts';
import type { Neighbours } from '../../../../protocol/overlay/neighbours/neighbours.ts';
import type { Endpoint } from '../../../../protocol/wire/endpoint.ts';
import { localHello } from '../../../support/handshake-pair.ts';
import { neighboursOf } from '../../../support/neighbours.ts';
import { type VirtualClock, VirtualNetwork, type VirtualServent } from '../../../support/virtual-network.ts';

/** A servent's links and its say over them; the sockets are the test's. */
class Side {
  readonly servent: VirtualServent;
  readonly neighbours: Neighbours;
  readonly clock: VirtualClock;
  readonly guid: Buffer | null;

  constructor(network: VirtualNetwork, name: string, says: 'guid' | 'no guid' = 'guid', maxUltrapeers = 10) {
    const { clock } = network;
    this.clock = clock;
    this.servent = network.add(name);
    this.guid = says === 'guid' ? this.servent.serventGuid : null;
    this.neighbours = neighboursOf(this.servent, network, { maxLeaves: 10, maxUltrapeers, seek: 0 }).neighbours;
  }

  handshake(direction: 'in' | 'out', remote: Endpoint): Handshake {
    const begunAt = this.clock.now();
    return new Handshake({
      direction,
      local: { ...localHello, deflate: false, guid: this.guid, listen: this.servent.endpoint },
      remoteAddress: remote.host,
      admit: peer => this.neighbours.admit(peer, remote, direction, begunAt),
      tryUltrapeers: () => [],
      crawl: () => null,
    });
  }

  link(endpoint: Endpoint, direction: 'in' | 'out', { capabilities, peerRole, ourRole }: HandshakeAccepted): Link {
    const wire = { wake: () => undefined, close: () => undefined };
    const link = this.servent.addLink({ endpoint, direction, role: peerRole, ourRole, capabilities, wire });
    this.neighbours.onLinked(link, this.clock.ms);
    return link;
  }
}

/** `from` dials `to`, a step a call: connected, hello there, answer back, acknowledgement there. */
class Dial {
  readonly links: (Link | null)[] = [null, null];
  refused = '';
  readonly #from: Side;
  readonly #to: Side;
  readonly #source: Endpoint;
  #dialling: Handshake | null = null;
  #answering: Handshake | null = null;
  #steps = 0;

  constructor(from: Side, to: Side, port: number) {
    this.#from = from;
    this.#to = to;
    this.#source = { host: from.servent.endpoint.host, port };
  }

  get up(): boolean {
    return this.links.every(link => link !== null && link.state === LinkState.Open);
  }

  step(): void {
    const { endpoint } = this.#to.servent;
    if (this.#steps++ === 0) this.#dialling = this.#from.handshake('out', endpoint);
    else if (this.#steps === 2) {
      this.#answering = this.#to.handshake('in', this.#source);
      this.#answering.feed(this.#dialling?.take() ?? Buffer.alloc(0));
    } else if (this.#steps === 3) {
      this.#dialling?.feed(this.#answering?.take() ?? Buffer.alloc(0));
      this.#settle(0, this.#from, this.#dialling, endpoint, 'out');
    } else {
      this.#answering?.feed(this.#dialling?.take() ?? Buffer.alloc(0));
      this.#settle(1, this.#to, this.#answering, this.#source, 'in');
    }
  }

  #settle(end: number, side: Side, handshake: Handshake | null, remote: Endpoint, direction: 'in' | 'out'): void {
    const outcome = handshake?.outcome ?? null;
    if (outcome?.kind === 'accepted') this.links[end] = side.link(remote, direction, outcome);
    else if (outcome?.kind === 'refused') this.refused = `${outcome.code} ${outcome.text}`;
  }

  /** What one end gave up, the other loses. */
  hangUp(): void {
    if (this.up || this.#steps < 4) return;
    for (const [end, side] of [this.#from, this.#to].entries()) {
      const link = this.links[end];
      if (link != null) side.servent.overlay.removeLink(link, 'closed by peer');
    }
  }
}

/** All orders of two times four steps. */
function* orders(first = 4, second = 4): Generator<number[]> {
  if (first + second === 0) yield [];
  if (first > 0) for (const rest of orders(first - 1, second)) yield [0, ...rest];
  if (second > 0) for (const rest of orders(first, second - 1)) yield [1, ...rest];
}

t.test('of two servents that dial each other at once both end the same link, in any order of what arrives', async t => {
  let crossed = 0;
  for (const order of orders()) {
    for (const atOnce of [true, false]) {
      for (const seed of [1, 2]) {
        const network = new VirtualNetwork(seed);
        const [a, b] = [new Side(network, 'a', 'guid', 1), new Side(network, 'b', 'guid', 1)];
        const dials = [new Dial(a, b, 40_001), new Dial(b, a, 40_002)];
        for (const next of order) {
          network.clock.ms += 1;
          dials[next]?.step();
          if (atOnce) for (const dial of dials) dial.hangUp();
        }
        for (const dial of dials) dial.hangUp();
        const what = `${order.join('')}, seed ${seed}, ${atOnce ? 'quick' : 'slow'} to close`;
        if (dials.filter(dial => dial.up).length !== 1) t.fail(`no single link: ${what}`);
        const counts = [a, b].map(({ servent }) => servent.overlay.links.size);
        if (counts.join() !== '1,1') t.fail(`links ${counts}: ${what}`);
        const ends = dials.flatMap(({ links }) => links).filter(link => link?.ended?.code === 409);
        crossed += ends.length;
      }
    }
  }
  t.ok(crossed > 20, 'and it had to be ended often enough');
});

t.test('a servent that is linked is refused with 409 whichever side dials again, with a GUID or without', async t => {
  for (const says of ['guid', 'no guid'] as const) {
    const network = new VirtualNetwork();
    const [us, peer] = [new Side(network, 'us'), new Side(network, 'peer', says)];
    const dialled = new Dial(us, peer, 40_001);
    for (let i = 0; i < 4; i++) dialled.step();
    t.equal(dialled.up, true);
    network.clock.ms += 60_000;
    const again = new Dial(us, peer, 40_002);
    const back = new Dial(peer, us, 40_003);
    for (const dial of [again, back]) for (let i = 0; i < 4; i++) dial.step();
    t.match(again.refused, /^409/, says);
    t.match(back.refused, /^409/, says);
    t.equal(us.servent.overlay.links.size, 1, says);
    t.equal(dialled.up, true, 'the one that was there stays');
  }
});

t.test('the GUID of a neighbour does not unseat it when another address says it', async t => {
  const network = new VirtualNetwork();
  const [us, peer, liar] = [new Side(network, 'us'), new Side(network, 'peer'), new Side(network, 'liar')];
  Object.assign(liar, { guid: peer.guid });
  const lies = new Dial(liar, us, 40_001);
  const dialled = new Dial(us, peer, 40_002);
  lies.step();
  lies.step();
  for (let i = 0; i < 4; i++) dialled.step();
  lies.step();
  lies.step();
  lies.hangUp();
  t.equal(lies.up, false);
  t.equal(dialled.up, true);
});

t.test('many servents at one address that send no GUID are as many links, whatever they say of their port', async t => {
  const network = new VirtualNetwork();
  const us = new Side(network, 'us');
  const peer = new Side(network, 'peer', 'no guid');
  for (let i = 0; i < 5; i++) {
    const dial = new Dial(peer, us, 40_000 + i);
    for (let step = 0; step < 3; step++) dial.step();
    const [link] = dial.links;
    if (link != null) peer.servent.overlay.removeLink(link, 'only our side counts'); // or the dialler itself would object
    dial.step();
  }
  t.equal(us.servent.overlay.links.size, 5);
});
