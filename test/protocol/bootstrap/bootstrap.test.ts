// The bootstrap of a servent, with a shell that notes what it is to ask.
import t from 'tap';
import { parseGwebCacheAnswer } from '../../../protocol/bootstrap/gwebcache-answer.ts';
import type { GwebCacheRequest } from '../../../protocol/bootstrap/gwebcache-request.ts';
import { NETWORK_RULES, type Profile } from '../../../protocol/network-rules.ts';
import { Servent } from '../../../protocol/servent.ts';
import type { Endpoint } from '../../../protocol/wire/endpoint.ts';
import { serventParts, silentShell, silentSink } from '../../support/servent-parts.ts';
import { SeededRandom, VirtualClock } from '../../support/virtual-network.ts';

const HOUR_MS = 3_600_000;
const WEB = ['http://one.example/gwc', 'http://two.example/gwc'];

interface Question {
  readonly url: string;
  readonly request: GwebCacheRequest;
}

/** An ultrapeer that others reach, with a GWebCache or two of its own. */
function scene({
  profile = 'public',
  web = WEB.slice(0, 1),
  seek = 3,
}: {
  profile?: Profile;
  web?: string[];
  seek?: number;
} = {}) {
  const clock = new VirtualClock();
  const questions: Question[] = [];
  const lookUps: string[] = [];
  const sent: Endpoint[] = [];
  const told: unknown[][] = [];
  const settings = { mode: 'ultrapeer', reachable: 'yes', seek } as const;
  const servent = new Servent(
    {
      ...serventParts({ clock, random: new SeededRandom(1), settings }),
      rules: NETWORK_RULES[profile],
      caches: { udp: { own: ['cache.example:9'], wellKnown: [] }, web: { own: web, wellKnown: [] } },
      shell: {
        ...silentShell,
        send: (_bytes, to) => sent.push(to) > 0,
        lookUpCache: address => lookUps.push(address),
        askWebCache: (url, request) => questions.push({ url, request }),
      },
      sink: {
        ...silentSink,
        onCacheAnswered: (...words) => told.push(['answered', ...words]),
        onCacheFailed: (...words) => told.push(['failed', ...words]),
      },
    },
    clock.ms,
  );
  const own = profile === 'public' ? { host: '5.9.9.9', port: 6346 } : { host: '127.0.0.1', port: 6346 };
  servent.port.listening(own, []);
  servent.port.udp = true;
  const { bootstrap } = servent;
  /** Time passes in seconds until a GWebCache is to be asked, for so long at most. */
  const nextQuestion = (ms: number): Question | null => {
    const before = questions.length;
    for (const end = clock.ms + ms; clock.ms < end && questions.length === before; clock.ms += 1_000)
      bootstrap.tick(clock.ms);
    return questions[before] ?? null;
  };
  const answer = ({ url, request }: Question, body: string) =>
    bootstrap.webCacheAnswered(url, request, parseGwebCacheAnswer(body), clock.ms);
  return { clock, servent, bootstrap, own, questions, lookUps, sent, told, nextQuestion, answer };
}

t.test('in public a cache is told of us after an hour, together with the next question', async t => {
  const { own, nextQuestion, answer, told } = scene();
  const first = nextQuestion(10 * 60_000);
  t.match(first, { url: WEB[0], request: { get: true, update: null, vendor: 'SRVT' } });
  answer(first as Question, 'H|5.1.1.1:6346|4\r\n');
  const second = nextQuestion(3 * HOUR_MS);
  t.match(second, { url: WEB[0], request: { update: own } });
  answer(second as Question, 'I|update|OK\r\n');
  t.match(
    told.filter(([, kind]) => kind === 'web'),
    [
      ['answered', 'web', WEB[0], 1, false],
      ['answered', 'web', WEB[0], 0, true],
    ],
  );
});

t.test("in a network of one's own each of its caches is told at once, and again after five minutes", async t => {
  const { own, nextQuestion, answer, clock } = scene({ profile: 'local', web: WEB, seek: 0 });
  const began = clock.ms;
  for (const url of WEB) {
    const question = nextQuestion(10_000);
    t.match(question, { url, request: { get: false, update: own } });
    answer(question as Question, 'I|update|OK\r\n');
  }
  t.ok(clock.ms - began < 10_000);
  t.equal(nextQuestion(280_000), null, 'they know of us');
  t.match(nextQuestion(30_000), { request: { update: own } });
});

t.test(
  'of what a cache in public names, nothing is taken that leads to ports of the system, to us, or inside',
  async t => {
    const { servent, own, nextQuestion, answer } = scene();
    const question = nextQuestion(10 * 60_000) as Question;
    const hosts = ['5.1.1.1:25', '127.0.0.1:6346', `${own.host}:${own.port}`, '5.1.1.1:6346'];
    const urls = ['http://10.0.0.1/gwc', 'http://[::1]/gwc', 'http://router/gwc', 'http://three.example/gwc'];
    answer(question, [...hosts.map(host => `H|${host}|4`), ...urls.map(url => `U|${url}|4`)].join('\r\n'));
    t.match(servent.hosts.toRecords(), [{ host: '5.1.1.1', port: 6346, source: 'cache', ultrapeer: true }]);
    t.equal(servent.hosts.size, 1);
    const known = servent.bootstrap.toRecords().map(({ address }) => address);
    t.strictSame(known, [WEB[0], 'http://three.example/gwc', 'cache.example:9']);
  },
);

t.test(
  'a UDP host cache is pinged where its name leads, unless that address is forbidden or its turn is over',
  async t => {
    const { bootstrap, lookUps, sent, told, clock } = scene({ web: [] });
    const turn = () => {
      const before = lookUps.length;
      for (let s = 0; s < 3_600 && lookUps.length === before; s++, clock.ms += 1_000) bootstrap.tick(clock.ms);
      return lookUps.length > before;
    };
    t.ok(turn());
    bootstrap.udpCacheFound('cache.example:9', { host: '5.9.9.9', port: 6346 }, clock.ms);
    t.match(told.pop(), ['failed', 'udp', 'cache.example:9', /this servent itself/]);
    t.ok(turn());
    bootstrap.udpCacheFound('cache.example:9', { host: '5.1.1.1', port: 9 }, clock.ms);
    t.strictSame(sent, [{ host: '5.1.1.1', port: 9 }]);
    clock.ms += 11_000;
    bootstrap.tick(clock.ms);
    bootstrap.udpCacheFound('cache.example:9', { host: '5.1.1.1', port: 9 }, clock.ms);
    t.equal(sent.length, 1, 'a name that was found too late');
  },
);

t.test(
  'with enough neighbours there is nothing to do until one is missing, but to register with a GWebCache',
  async t => {
    const idle = scene({ web: [], seek: 0 });
    t.equal(idle.bootstrap.tick(idle.clock.ms), Number.POSITIVE_INFINITY);
    const listed = scene({ seek: 0 });
    t.equal(listed.bootstrap.tick(listed.clock.ms), listed.clock.ms + HOUR_MS);
    const lonely = scene({ web: [], seek: 3 });
    t.equal(lonely.bootstrap.tick(lonely.clock.ms), lonely.clock.ms + 1_000);
  },
);

t.test('without UDP no UDP host cache of an earlier run is waited for, and none is forgotten', async t => {
  const { servent, bootstrap, clock, lookUps } = scene({ web: [] });
  const record = { kind: 'udp', address: 'other.example:6346', askedAt: 0, answeredAt: 1, failures: 0 } as const;
  bootstrap.fromRecords([record]);
  servent.port.udp = false;
  bootstrap.tick(clock.ms);
  t.match(bootstrap.report, { state: 'alone', asking: null, caches: { udp: { known: 0 } } });
  t.strictSame(lookUps, []);
  t.match(bootstrap.toRecords()[1], record);
});

t.test('once the servent has closed, answers that come late change nothing', async t => {
  const { servent, bootstrap, nextQuestion, answer, told } = scene();
  const question = nextQuestion(10 * 60_000) as Question;
  const before = JSON.stringify(bootstrap.toRecords());
  servent.close();
  answer(question, 'H|5.1.1.1:6346|4\r\n');
  bootstrap.webCacheFailed(question.url, question.request, 'closed', true);
  bootstrap.udpCacheLost('cache.example:9', 'closed');
  t.equal(JSON.stringify(bootstrap.toRecords()), before);
  t.equal(servent.hosts.size, 0);
  t.strictSame(told, []);
  t.equal(nextQuestion(HOUR_MS), null);
});
