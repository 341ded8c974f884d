// Searches for other words every ten seconds, as people make them, with the limits of the public network.
import t from 'tap';
import type { Role } from '../../../../protocol/handshake/capabilities.ts';
import { QUERY_GUARD } from '../../../../protocol/overlay/queries/query-guard.ts';
import { carry, type SentDatagram, VirtualDatagrams } from '../../../support/virtual-datagrams.ts';
import { VirtualNetwork, type VirtualServent } from '../../../support/virtual-network.ts';

const STEP_MS = 50;
const PATIENCE_MS = 7_000;
const EVERY_MS = 10_000;
const ROUNDS = 10;
/** Of each word at each servent: three datagrams of hits. */
const FILES = 12;

/** Who is linked to whom: ultrapeers 0 to 2 with one another, leaves 3 to 5 with one each. */
const LINKS = [
  [0, 1],
  [0, 2],
  [1, 2],
  [3, 0],
  [4, 1],
  [5, 2],
] as const;

/** Three ultrapeers and three leaves; hits go by UDP or over the links. */
function threeAndThree(outOfBand: boolean) {
  const network = new VirtualNetwork();
  const wire: SentDatagram[] = [];
  const add = (name: string, role: Role) => {
    const servent = network.add(name, { role, limits: { flooding: false, queries: QUERY_GUARD } });
    const datagrams = new VirtualDatagrams(servent, network, wire, {}, 'open');
    if (outOfBand) servent.datagramEndpoint = servent.endpoint;
    return datagrams;
  };
  const servents = [
    ...['u1', 'u2', 'u3'].map(name => add(name, 'ultrapeer')),
    ...['l1', 'l2', 'l3'].map(name => add(name, 'leaf')),
  ];
  const all = servents.map(({ servent }) => servent);
  const link = () => {
    for (const [a, b] of LINKS) network.connect(all[a] as VirtualServent, all[b] as VirtualServent);
  };
  const pass = (ms: number) => {
    for (const until = network.clock.ms + ms; network.clock.ms < until; ) {
      network.pass(STEP_MS, STEP_MS);
      for (const { core } of servents) core.tick(network.clock.ms);
      carry(wire, servents);
      network.settle();
    }
  };
  /** Files of a word that only this asker will ask for in this round. */
  const shareFor = (round: number) => {
    for (const { name, library, overlay } of all) {
      for (const asker of all) {
        for (let i = 0; i < FILES; i++) library.share(`word${round}${asker.name} of ${name}, part ${i} of a song.ogg`);
      }
      overlay.onLibraryChanged();
    }
  };
  /** Everybody searches for a word of its own every ten seconds: who did not hear of whom within seven. */
  const missed = (rounds: number): string[] => {
    const missing: string[] = [];
    for (let round = 0; round < rounds; round++) {
      const asked = servents.map(asker => {
        const { name } = asker.servent;
        return { asker, name, search: asker.servent.search({ text: `word${round}${name}` }) };
      });
      pass(PATIENCE_MS);
      for (const { asker, name, search } of asked) {
        const heard = heardBy(asker, search.guid, all);
        const silent = all.filter(other => other.name !== name && !heard.includes(other.name));
        missing.push(...silent.map(other => `${name} of ${other.name} in round ${round}`));
      }
      pass(EVERY_MS - PATIENCE_MS);
    }
    return missing;
  };
  return { link, pass, shareFor, missed };
}

/** Names of the servents whose hits have come. */
function heardBy({ servent, hits }: VirtualDatagrams, guid: Buffer, all: readonly VirtualServent[]): string[] {
  const ofSearch = [...servent.hits, ...hits].filter(({ search }) => search.guid.equals(guid));
  const guids = ofSearch.map(({ hit }) => hit.serventGuid);
  return all.filter(({ serventGuid }) => guids.some(heard => heard.equals(serventGuid))).map(({ name }) => name);
}

for (const outOfBand of [true, false]) {
  const way = outOfBand ? 'by UDP' : 'over the links';
  t.test(`each of sixty searches for new words is answered by everybody within 7 s, ${way}`, async t => {
    const { link, pass, shareFor, missed } = threeAndThree(outOfBand);
    for (let round = 0; round < ROUNDS; round++) shareFor(round);
    link();
    pass(5_000);
    t.strictSame(missed(ROUNDS), []);
  });
}

t.test('files that are hashed one after the other for a minute are found ten seconds later', async t => {
  const { link, pass, shareFor, missed } = threeAndThree(true);
  link();
  pass(1_000);
  for (let round = 0; round < 6; round++) {
    shareFor(round);
    pass(10_000);
  }
  t.strictSame(missed(6), []);
});
