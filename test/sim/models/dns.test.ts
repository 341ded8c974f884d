// Name servers step by step: whom a resolver asks, what it keeps, and when it gives up.
import t from 'tap';
import { NameServers, type NameServersOptions, TWO_DAYS } from '../../../sim/dns/name-servers.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';

const namesOf = (
  options: Partial<NameServersOptions> = {},
): { servers: NameServers; ask: (name: number) => number | null } => {
  const servers = new NameServers({
    ...{ random: new SeededRandom(1), clients: 2, resolvers: 1, roots: 3, topLevels: 2, zones: 6 },
    ...{ ttl: 60, referralTtl: TWO_DAYS, recursive: false, addressOf: name => name + 1_000 },
    ...options,
  });
  let answer: number | null = null;
  servers.onAnswer = (_, address) => {
    answer = address;
  };
  return {
    servers,
    ask: name => {
      answer = null;
      servers.ask(0, name);
      servers.network.run();
      return answer;
    },
  };
};

t.test('from the root over the top level to the zone of the name, each asked once', async t => {
  const { servers, ask } = namesOf();
  t.equal(ask(5), 1_005);
  const { taken } = servers.network;
  t.strictSame([taken[servers.topLevelServer(5)], taken[servers.zoneServer(5)]], [1, 1]);
  t.equal(
    taken.slice(servers.firstRoot, servers.firstTopLevel).reduce((sum, count) => sum + count),
    1,
  );
  t.equal(
    taken.slice(servers.firstZone).reduce((sum, count) => sum + count),
    1,
  );
});

t.test('by recursive questions the root takes the question and the answer', async t => {
  const { servers, ask } = namesOf({ recursive: true });
  t.equal(ask(5), 1_005);
  t.equal(
    servers.network.taken.slice(servers.firstRoot, servers.firstTopLevel).reduce((sum, count) => sum + count),
    2,
  );
});

t.test('an answer is kept for its time to live, and a referral for its own', async t => {
  const { servers, ask } = namesOf({ referralTtl: 600 });
  const { network } = servers;
  const cost = (name: number): number => {
    const before = network.messages;
    ask(name);
    return network.messages - before;
  };
  t.strictSame([cost(5), cost(5), cost(11), cost(3)], [8, 2, 4, 6], 'name, again, its zone, its top level');
  network.run(network.now + 60_000);
  t.equal(cost(5), 4, 'the zone is still known');
  network.run(network.now + 600_000);
  t.equal(cost(5), 8);
});

t.test('a silent root is passed over; without any the look-up fails', async t => {
  const { servers, ask } = namesOf({ ttl: 0, referralTtl: 0 });
  servers.network.fail(servers.firstRoot);
  servers.network.fail(servers.firstRoot + 1);
  for (let name = 0; name < 20; name++) t.equal(ask(name), name + 1_000);
  servers.network.fail(servers.firstRoot + 2);
  t.equal(ask(1), null);
  t.equal(namesOf({ addressOf: () => null }).ask(1), null, 'no such name');
});
