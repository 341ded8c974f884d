// Crawls of made-up networks on a virtual clock.
import t from 'tap';
import { type Ask, Crawl, type CrawlOptions, type Outcome } from '../../../protocol/crawl/crawl.ts';
import { degreeCounts, degreesOf } from '../../../protocol/crawl/crawl-report.ts';
import { CRAWL_RULES } from '../../../protocol/crawl/crawl-rules.ts';
import type { HostAnswer } from '../../../protocol/crawl/host-answer.ts';
import { VisitBook } from '../../../protocol/crawl/visit-book.ts';
import { endpointOrNull, formatEndpoint } from '../../../protocol/wire/endpoint.ts';

const DAY_MS = 86_400_000;
const START = 1_700_000_000_000;

const at = (text: string) => {
  const endpoint = endpointOrNull(text);
  if (endpoint === null) throw new Error(text);
  return endpoint;
};

/** Public addresses, one a number. */
const hostAt = (number: number): string => `20.${number >> 8}.${number & 255}.1:6346`;

function answer(ultrapeers: readonly string[], leaves: readonly string[] = []): Outcome {
  const told: HostAnswer = {
    ...{ role: 'ultrapeer', userAgent: 'test/1', uptime: 60, others: [] },
    ultrapeers: ultrapeers.map(at),
    leaves: leaves.map(at),
  };
  return { kind: 'answered', answer: told };
}

interface Sent {
  readonly ask: Ask;
  readonly at: number;
}

/** Runs a crawl to its end; each answer takes `latencyMs`. */
function run(
  crawl: Crawl,
  reply: (ask: Ask) => Outcome,
  { latencyMs = 100, wall = START } = {},
): { sent: Sent[]; most: number; now: number } {
  const sent: Sent[] = [];
  const due: Sent[] = [];
  let now = 0;
  let most = 0;
  while (!crawl.over) {
    for (let ask = crawl.next(now, wall + now); ask !== null; ask = crawl.next(now, wall + now)) {
      sent.push({ ask, at: now });
      due.push({ ask, at: now + latencyMs });
      most = Math.max(most, due.length);
    }
    if (crawl.over) break;
    now = Math.min(crawl.deadline(now) ?? Number.POSITIVE_INFINITY, due[0]?.at ?? Number.POSITIVE_INFINITY);
    while (due[0] !== undefined && due[0].at <= now) {
      const [first] = due.splice(0, 1);
      if (first !== undefined) crawl.heard(first.ask, reply(first.ask), now, wall + now);
    }
  }
  return { sent, most, now };
}

const crawlWith = (options: Partial<CrawlOptions> = {}): Crawl => {
  const { rules = CRAWL_RULES.public } = options;
  return new Crawl({
    ...{ rules, book: new VisitBook(rules.againMs), ways: ['tcp'], rate: rules.rate, parallelMax: 16, hostsMax: 1000 },
    ...options,
  });
};

/** A ring of hosts, each of which names both of its neighbours. */
const ring =
  (size: number) =>
  (ask: Ask): Outcome => {
    const number = Array.from({ length: size }, (_, i) => i).find(i => hostAt(i) === formatEndpoint(ask.endpoint)) ?? 0;
    return answer([hostAt((number + 1) % size), hostAt((number + size - 1) % size)]);
  };

t.test('every host and connection of a ring is found, each host asked once', async t => {
  const crawl = crawlWith();
  crawl.add(at(hostAt(0)));
  const { sent } = run(crawl, ring(40));
  t.equal(sent.length, 40);
  const report = crawl.report();
  t.equal(report.hosts.filter(({ state }) => state === 'answered').length, 40);
  t.equal(report.edges.length, 40);
  t.ok(report.edges.every(({ both, kind }) => both && kind === 'ultrapeer'));
  t.strictSame(degreeCounts(degreesOf(report).values()), [[2, 40]]);
});

t.test('five hosts a second are asked, and no more at a time than are allowed', async t => {
  const crawl = crawlWith({ parallelMax: 3 });
  for (let i = 0; i < 100; i++) crawl.add(at(hostAt(i)));
  const { sent, most } = run(crawl, () => answer([]), { latencyMs: 400 });
  for (const [i, { at: time }] of sent.entries()) t.ok(time >= i * 200 - 1e-6, 'not before its turn');
  t.equal(Math.round((sent.at(-1)?.at ?? 0) / 1000), 20);
  t.ok(most <= 3);
  const slow = crawlWith({ parallelMax: 3, rate: 20 });
  for (let i = 0; i < 30; i++) slow.add(at(hostAt(i)));
  const { most: atOnce, now } = run(slow, () => answer([]), { latencyMs: 1000 });
  t.equal(atOnce, 3, 'answers that take long slow it down');
  t.ok(now >= 10_000);
});

t.test('a host is asked once a day, and one that wants no crawlers not for a month', async t => {
  const book = new VisitBook(DAY_MS);
  const crawled = (wall: number): number => {
    const crawl = crawlWith({ book });
    crawl.add(at(hostAt(1)));
    crawl.add(at(hostAt(2)));
    const refusal: Outcome = { kind: 'refused', why: 'no', optsOut: true, isFinal: true, others: [] };
    return run(crawl, ({ endpoint }) => (formatEndpoint(endpoint) === hostAt(2) ? refusal : answer([])), { wall }).sent
      .length;
  };
  t.equal(crawled(START), 2);
  t.equal(crawled(START + DAY_MS - 60_000), 0);
  t.equal(crawled(START + DAY_MS + 60_000), 1);
  t.equal(crawled(START + 29 * DAY_MS), 1, 'the other one');
  t.equal(crawled(START + 31 * DAY_MS), 2);
  const kept = new VisitBook(DAY_MS, [...book.visits(START + 31 * DAY_MS)]);
  t.equal(kept.forbids(at(hostAt(1)), START + 31 * DAY_MS + 3_600_000), 'recently');
  t.equal(kept.forbids(at('20.0.2.1:9999'), START + 31 * DAY_MS + 3_600_000), 'opted_out', 'on every port');
});

t.test('the second way is tried where the first fails, but not after a refusal that is final', async t => {
  const crawl = crawlWith({ ways: ['tcp', 'udp'] });
  for (let i = 0; i < 4; i++) crawl.add(at(hostAt(i)));
  const refused = { kind: 'refused', why: 'status 503', optsOut: false, others: [] } as const;
  const { sent } = run(crawl, ({ endpoint, way }) => {
    if (way === 'udp') return answer([]);
    switch (formatEndpoint(endpoint)) {
      case hostAt(0):
        return answer([]);
      case hostAt(1):
        return { kind: 'silent', why: 'no answer' };
      case hostAt(2):
        return { ...refused, isFinal: true };
      default:
        return { ...refused, isFinal: false };
    }
  });
  const ways = (i: number): string[] =>
    sent.filter(({ ask }) => formatEndpoint(ask.endpoint) === hostAt(i)).map(({ ask }) => ask.way);
  t.strictSame([0, 1, 2, 3].map(ways), [['tcp'], ['tcp', 'udp'], ['tcp'], ['tcp', 'udp']]);
  t.match(
    crawl.report().hosts.map(({ state, way }) => [state, way]),
    [
      ['answered', 'tcp'],
      ['answered', 'udp'],
      ['refused', 'tcp'],
      ['answered', 'udp'],
    ],
  );
});

t.test('profiles reach no further than they may', async t => {
  const named = ['127.0.0.1:1', '10.0.0.1:1', '20.0.0.1:1', '224.0.0.1:1'];
  const reached = (profile: 'local' | 'lan' | 'public'): boolean[] => {
    const crawl = crawlWith({ rules: CRAWL_RULES[profile] });
    return named.map(text => crawl.forbids(at(text)) === null);
  };
  t.strictSame(reached('local'), [true, false, false, false]);
  t.strictSame(reached('lan'), [true, true, false, false]);
  t.strictSame(reached('public'), [false, false, true, false]);
  const crawl = crawlWith({ rules: CRAWL_RULES.local });
  crawl.add(at('127.0.0.1:1'));
  const { sent } = run(crawl, () => answer(named.slice(1)));
  t.equal(sent.length, 1, 'what neighbours name is held to the same rules');
  t.equal(crawl.report().hosts.filter(({ why }) => why === 'forbidden').length, 3);
});

t.test('blocked addresses are not asked', async t => {
  const crawl = crawlWith({ blockedBy: host => (host === '20.0.3.1' ? 'list' : null) });
  crawl.add(at(hostAt(2)));
  const { sent } = run(crawl, () => answer([hostAt(3)]));
  t.equal(sent.length, 1);
  t.equal(crawl.forbids(at(hostAt(3))), 'blocked by list');
});

t.test('one address gets few questions, however many hosts are said to be there', async t => {
  const crawl = crawlWith();
  crawl.add(at(hostAt(0)));
  const many = Array.from({ length: 500 }, (_, i) => `20.99.0.1:${1000 + i}`);
  const { sent } = run(crawl, ({ endpoint }) => (formatEndpoint(endpoint) === hostAt(0) ? answer(many) : answer([])));
  t.equal(sent.length, 1 + CRAWL_RULES.public.portsOfAddress);
  t.equal(crawl.report().hosts.filter(({ why }) => why === 'address_full').length, 496);
});

t.test('what is known is bounded, and what is beyond is counted', async t => {
  const crawl = crawlWith({ hostsMax: 3 });
  crawl.add(at(hostAt(0)));
  const many = Array.from({ length: 100 }, (_, i) => hostAt(i + 1));
  const { sent } = run(crawl, () => answer(many));
  t.equal(sent.length, 3);
  const { hosts, beyond } = crawl.report();
  t.equal(hosts.length, 60);
  t.ok(beyond > 0);
  t.equal(hosts.filter(({ why }) => why === 'not_reached').length, 57);
});

t.test('a crawl that is stopped takes what it asked for and asks no more', async t => {
  const crawl = crawlWith();
  for (let i = 0; i < 10; i++) crawl.add(at(hostAt(i)));
  const ask = crawl.next(0, START);
  if (ask === null) throw new Error('nobody to ask');
  crawl.stop();
  t.equal(crawl.next(10_000, START), null);
  t.equal(crawl.over, false);
  crawl.heard(ask, answer([hostAt(20)]), 100, START);
  crawl.heard(ask, answer([hostAt(21)]), 100, START);
  t.equal(crawl.over, true);
  t.equal(crawl.report().hosts.length, 11, 'an answer counts once');
});
