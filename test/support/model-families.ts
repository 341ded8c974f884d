// The models by family: each family is tested in a process of its own, as all together take long.
import type { Model } from '../../sim/model.ts';
import { bittorrent } from '../../sim/models/bittorrent.ts';
import { can } from '../../sim/models/can.ts';
import { chord } from '../../sim/models/chord.ts';
import { clientServer } from '../../sim/models/client-server.ts';
import { dns } from '../../sim/models/dns.ts';
import { edonkey } from '../../sim/models/edonkey.ts';
import { freenet } from '../../sim/models/freenet.ts';
import { gnutella04 } from '../../sim/models/gnutella04.ts';
import { kademlia } from '../../sim/models/kademlia.ts';
import { kazaa } from '../../sim/models/kazaa.ts';
import { mapreduce } from '../../sim/models/mapreduce.ts';
import { multicast } from '../../sim/models/multicast.ts';
import { napster } from '../../sim/models/napster.ts';
import { past } from '../../sim/models/past.ts';
import { pastry } from '../../sim/models/pastry.ts';
import { randomWalk } from '../../sim/models/random-walk.ts';
import { ring } from '../../sim/models/ring.ts';
import { seti } from '../../sim/models/seti.ts';
import { skype } from '../../sim/models/skype.ts';
import { tapestry } from '../../sim/models/tapestry.ts';
import { topology } from '../../sim/models/topology.ts';
import { usenet } from '../../sim/models/usenet.ts';

/** Networks whose nodes link to whom they like. */
export const UNSTRUCTURED: readonly Model[] = [napster, gnutella04, randomWalk, kazaa, edonkey, freenet, skype];

/** Networks in which keys say who has what. */
export const STRUCTURED: readonly Model[] = [ring, chord, can, pastry, past, tapestry, kademlia];

/** What is built on networks, and of their shapes. */
export const APPLICATIONS: readonly Model[] = [
  bittorrent,
  clientServer,
  multicast,
  usenet,
  dns,
  seti,
  mapreduce,
  topology,
];
