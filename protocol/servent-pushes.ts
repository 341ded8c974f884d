// The parts of a servent for pushes: those for us, those for our neighbours, and those by which we reach sources.
import type { NetworkRules } from './network-rules.ts';
import type { Datagrams } from './overlay/datagrams/datagrams.ts';
import type { Overlay } from './overlay/overlay.ts';
import type { OwnIdentity } from './overlay/own-identity.ts';
import { PushAnswerer } from './overlay/pushes/push-answerer.ts';
import { PushRelay } from './overlay/pushes/push-relay.ts';
import { PushRequester } from './overlay/pushes/push-requester.ts';
import type { Firewall } from './overlay/reach/firewall.ts';
import type { ReachPolicy } from './overlay/reach/reach-policy.ts';
import type { Random } from './ports.ts';
import type { ServentDht } from './servent-dht.ts';
import type { ServentRudp } from './servent-rudp.ts';
import type { Shell } from './servent-shell.ts';
import type { Endpoint } from './wire/endpoint.ts';

/** What it takes of a servent: some of it is made later. */
export interface PushingServent {
  readonly identity: OwnIdentity;
  readonly overlay: Overlay;
  readonly datagrams: Datagrams;
  readonly firewall: Firewall;
  readonly reach: ReachPolicy;
  readonly dht: ServentDht | null;
  readonly rudp: Pick<ServentRudp, 'endpoint'>;
  readonly udp: boolean;
  readonly endpoint: Endpoint;
}

/** What the servent itself is given. */
interface Given {
  readonly random: Random;
  readonly rules: Pick<NetworkRules, 'sharedAddress'>;
  readonly shell: Shell;
}

export interface ServentPushes {
  readonly answerer: PushAnswerer;
  readonly relay: PushRelay;
  readonly requester: PushRequester;
}

export function serventPushes(servent: PushingServent, { random, rules, shell }: Given, now: number): ServentPushes {
  const { identity, overlay, datagrams, firewall, reach, dht, rudp } = servent;
  const { sharedAddress } = rules;
  const forbids = (to: Endpoint) => reach.forbids(to);
  const answerer = new PushAnswerer(
    { forbids, serve: to => shell.serve(to), serveStream: to => shell.serveStream(to), sharedAddress },
    now,
  );
  const relay = new PushRelay({
    identity,
    isNeighbour: guid => overlay.linkTo(guid) !== null,
    sendPush: (push, at) => overlay.sendPush(push, at),
    onPush: (push, at) => answerer.onPush(push, 'proxy', at),
  });
  const requester = new PushRequester(
    {
      roads: shell,
      sendPush: (push, at, guid) => overlay.sendPush(push, at, guid),
      sendDatagram: (push, to, at, guid) => servent.udp && datagrams.push(push, to, at, guid),
      guid: () => random.guid(),
      datagrams: () => servent.udp,
      findProxies:
        dht === null
          ? null
          : (guid, at, onEnd) =>
              dht.findProxies(guid, at, (found, then, stream) =>
                onEnd(
                  found.map(({ endpoint: proxy }) => proxy),
                  then,
                  stream,
                ),
              ),
      forbids,
      listen: () => servent.endpoint,
      ipv6: () => identity.ipv6(),
      // while it is not known yet, a push costs little, and its answer is a proof
      firewalled: at => firewall.status(at).tcp === 'firewalled',
      unproven: at => firewall.firewalled(at),
      streams: at => rudp.endpoint(at),
    },
    now,
  );
  return { answerer, relay, requester };
}
