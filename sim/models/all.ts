// All models, in the order of the lectures: each is one file.
import type { Model } from '../model.ts';
import { bittorrent } from './bittorrent.ts';
import { can } from './can.ts';
import { chord } from './chord.ts';
import { clientServer } from './client-server.ts';
import { dns } from './dns.ts';
import { edonkey } from './edonkey.ts';
import { freenet } from './freenet.ts';
import { gnutella04 } from './gnutella04.ts';
import { gnutella06 } from './gnutella06.ts';
import { kademlia } from './kademlia.ts';
import { kazaa } from './kazaa.ts';
import { mapreduce } from './mapreduce.ts';
import { multicast } from './multicast.ts';
import { napster } from './napster.ts';
import { past } from './past.ts';
import { pastry } from './pastry.ts';
import { randomWalk } from './random-walk.ts';
import { ring } from './ring.ts';
import { seti } from './seti.ts';
import { skype } from './skype.ts';
import { tapestry } from './tapestry.ts';
import { topology } from './topology.ts';
import { usenet } from './usenet.ts';

export const MODELS: readonly Model[] = [
  napster,
  gnutella04,
  randomWalk,
  gnutella06,
  kazaa,
  edonkey,
  freenet,
  skype,
  ring,
  chord,
  can,
  pastry,
  past,
  tapestry,
  kademlia,
  bittorrent,
  clientServer,
  multicast,
  usenet,
  dns,
  seti,
  mapreduce,
  topology,
];

export function modelOf(name: string): Model | null {
  return MODELS.find(model => model.name === name) ?? null;
}
