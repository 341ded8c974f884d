import fc from 'fast-check';
import t from 'tap';
import {
  type BootstrapCommand,
  type BootstrapFacts,
  BootstrapPlan,
  type BootstrapTiming,
  type CacheKind,
  LOCAL_TIMING,
  PUBLIC_TIMING,
} from '../../../protocol/bootstrap/bootstrap-plan.ts';
import {
  CacheBook,
  type CachePolicy,
  LOCAL_CACHES,
  POLITE_UDP,
  POLITE_WEB,
} from '../../../protocol/bootstrap/cache-book.ts';
import type { Random } from '../../../protocol/ports.ts';

const START = Date.UTC(2026, 10, 21);
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Repeatable, and different for each seed. */
function seeded(seed: number): Random {
  let state = seed >>> 0 || 1;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return { below, fill: () => {}, guid: () => Buffer.alloc(16) };
}

interface Cache {
  kind: CacheKind;
  address: string;
  rank: 'own' | 'known' | 'heard';
  /** What becomes of each question to it. */
  does: 'bring a live host' | 'bring dead hosts' | 'bring nothing' | 'keep silent' | 'refuse' | 'have no name';
}

interface Question {
  at: number;
  address: string;
}

const PUBLIC = { timing: PUBLIC_TIMING, udp: POLITE_UDP, web: POLITE_WEB };
const LAB = { timing: LOCAL_TIMING, udp: LOCAL_CACHES, web: LOCAL_CACHES };

/** A servent that knows caches and nobody else, on a clock of seconds; a host is dialled in the second after it is known. */
class Newcomer {
  readonly plan: BootstrapPlan;
  readonly asked: Question[] = [];
  readonly #caches: Map<string, Cache>;
  now = START;
  links = 0;
  wanted = 4;
  dialable = 0;
  #live = false;
  #triedAt: number[] = [];
  last: BootstrapCommand = { kind: 'rest' };

  constructor(
    caches: Cache[],
    rules: { timing: BootstrapTiming; udp: CachePolicy; web: CachePolicy } = PUBLIC,
    random: Random = seeded(1),
  ) {
    this.#caches = new Map(caches.map(cache => [cache.address, cache]));
    const book = (kind: CacheKind) => {
      const of = (rank: Cache['rank']) =>
        caches.flatMap(cache => (cache.kind === kind && cache.rank === rank ? [cache.address] : []));
      const made = new CacheBook({ own: of('own'), wellKnown: of('known') }, rules[kind], random);
      for (const address of of('heard')) made.learn(address);
      return made;
    };
    this.plan = new BootstrapPlan({ udp: book('udp'), web: book('web') }, rules.timing, random, START);
  }

  step(): BootstrapCommand {
    const facts: BootstrapFacts = {
      now: this.now,
      links: this.links,
      wanted: this.wanted,
      udp: true,
      dialable: () => this.dialable > 0,
      tried: () => this.#triedAt.filter(at => at >= this.plan.progressAt).length,
    };
    this.last = this.plan.step(facts);
    if (this.last.kind === 'ask') this.#ask(this.last.cache, this.last.address);
    else if (this.dialable > 0) this.#dial();
    return this.last;
  }

  /** Until `done`, or for so long at most; true when it came to be done. */
  run(ms: number, done = () => false): boolean {
    for (const end = this.now + ms; this.now < end; this.now += SECOND_MS) {
      this.step();
      if (done()) return true;
    }
    return false;
  }

  #dial(): void {
    this.dialable--;
    this.#triedAt.push(this.now);
    if (this.#live) this.links = 1;
  }

  #ask(kind: CacheKind, address: string): void {
    this.asked.push({ at: this.now, address });
    const does = this.#caches.get(address)?.does;
    if (does === 'refuse') this.plan.failed(kind, address, true);
    else if (does === 'have no name') this.plan.failed(kind, address, false);
    else if (does !== 'keep silent') {
      const hosts = does === 'bring nothing' ? 0 : 3;
      this.plan.answered(kind, address, this.now, hosts);
      this.dialable += hosts;
      this.#live ||= does === 'bring a live host';
    }
  }
}

const silent = (address: string, rank: Cache['rank'] = 'known', kind: CacheKind = 'udp'): Cache => ({
  ...{ kind, address, rank },
  does: 'keep silent',
});
const NINE = Array.from({ length: 9 }, (_, n) => silent(`cache-${n}:6346`));

t.test('a new servent whose first two caches are dead asks all the others, and does not stop after 40 s', async t => {
  const servent = new Newcomer(NINE);
  servent.run(2 * MINUTE_MS);
  t.equal(new Set(servent.asked.map(({ address }) => address)).size, 9, 'each was asked');
  servent.run(HOUR_MS);
  const late = servent.asked.filter(({ at }) => at > servent.now - 15 * MINUTE_MS);
  t.equal(new Set(late.map(({ address }) => address)).size, 9, 'and each is still asked after an hour');
});

t.test('one cache that wakes up after an hour is found within a quarter of an hour', async t => {
  const caches = NINE.map(cache => ({ ...cache }));
  const servent = new Newcomer(caches);
  servent.run(HOUR_MS);
  for (const cache of caches.slice(0, 1)) cache.does = 'bring a live host';
  t.ok(servent.run(15 * MINUTE_MS, () => servent.links > 0));
});

t.test('own caches are asked before the published ones, UDP before HTTP', async t => {
  const own = [silent('http://own/', 'own', 'web'), silent('own:1', 'own')];
  const servent = new Newcomer([...NINE, silent('http://heard/', 'heard', 'web'), ...own]);
  servent.run(5 * MINUTE_MS);
  const order = servent.asked.map(({ address }) => address);
  t.strictSame(order.slice(0, 2), ['own:1', 'http://own/']);
  t.equal(order.indexOf('http://heard/'), 11, 'the GWebCache of others comes last');
});

t.test(
  'known hosts come first: twenty are dialled and have 20 s to answer, but no cache waits longer than 2 min',
  async t => {
    const servent = new Newcomer(NINE);
    servent.dialable = 3;
    servent.run(20 * SECOND_MS);
    t.strictSame(servent.asked, [], 'all three are being dialled');
    servent.run(2 * SECOND_MS);
    t.equal(servent.asked.length, 1);

    const many = new Newcomer(NINE);
    many.dialable = 1000;
    many.run(20 * SECOND_MS);
    t.strictSame(many.asked, []);
    many.run(2 * SECOND_MS);
    t.equal(many.asked.length, 1, 'twenty were dialled in vain');

    const stuck = new Newcomer(NINE);
    const facts = { links: 0, wanted: 4, udp: true, dialable: () => true, tried: () => 0 };
    t.equal(stuck.plan.step({ ...facts, now: START + 2 * MINUTE_MS - 1 }).kind, 'dial');
    t.equal(stuck.plan.step({ ...facts, now: START + 2 * MINUTE_MS }).kind, 'ask', 'none of them was ever dialled');
  },
);

t.test(
  'with neighbours enough nobody is asked; with one, only while there is nobody to dial, and no GWebCache',
  async t => {
    const servent = new Newcomer([...NINE, silent('http://own/', 'own', 'web')]);
    servent.links = 4;
    servent.run(HOUR_MS);
    t.strictSame(servent.asked, []);
    t.match(servent.plan.report(), { state: 'linked', nextAt: null });
    servent.links = 1;
    servent.dialable = 10_000;
    servent.run(10 * MINUTE_MS);
    t.strictSame(servent.asked, []);
    servent.dialable = 0;
    servent.run(10 * MINUTE_MS);
    t.ok(servent.asked.length >= 9 && servent.asked.every(({ address }) => !address.startsWith('http')));
    servent.wanted = 0;
    t.equal(servent.step().kind, 'rest');
    t.equal(servent.plan.report().state, 'unwanted');
  },
);

t.test('a lost link starts the search again at once', async t => {
  const servent = new Newcomer(NINE);
  servent.run(HOUR_MS);
  servent.links = 1;
  servent.dialable = 1_000_000;
  servent.run(HOUR_MS);
  const before = servent.asked.length;
  servent.links = 0;
  servent.dialable = 0;
  servent.run(2 * MINUTE_MS);
  t.equal(servent.asked.length - before, 9);
  t.equal(servent.plan.report().round, 1);
});

t.test('a report says what is tried and what is next', async t => {
  const servent = new Newcomer(NINE.slice(0, 2));
  servent.step();
  t.match(servent.plan.report(), { state: 'asking', asking: /^cache-/, nextAt: START + 10 * SECOND_MS, round: 1 });
  servent.run(25 * SECOND_MS);
  const { state, caches, nextAt, asking } = servent.plan.report();
  t.strictSame(
    { state, asking, udp: caches.udp },
    { state: 'waiting', asking: null, udp: { known: 2, asked: 2, answered: 0 } },
  );
  t.ok(nextAt !== null && nextAt > servent.now);

  const alone = new Newcomer([]);
  alone.run(HOUR_MS);
  t.match(alone.plan.report(), { state: 'alone', nextAt: null });
});

t.test('a clock turned back by a day does not silence the search', async t => {
  const servent = new Newcomer(NINE);
  servent.run(HOUR_MS);
  servent.now -= 24 * HOUR_MS;
  const before = servent.asked.length;
  servent.run(15 * MINUTE_MS);
  t.ok(servent.asked.length - before >= 9);
});

const does: fc.Arbitrary<Cache['does']> = fc.constantFrom(
  'bring dead hosts',
  'bring nothing',
  'keep silent',
  'refuse',
  'have no name',
);
const caches = fc.array(
  fc.record({
    kind: fc.constantFrom('udp' as const, 'web' as const),
    rank: fc.constantFrom('own' as const, 'known' as const, 'heard' as const),
    does,
  }),
  { maxLength: 12 },
);
const named = (drawn: Omit<Cache, 'address'>[]): Cache[] =>
  drawn.map((cache, n) => ({ ...cache, address: `${cache.kind}-${n}` }));

/** The least time between two questions to one cache. */
function leastMs({ kind, does }: Cache, rules: typeof PUBLIC): number {
  const { perCacheMs, unreachedMs } = rules[kind];
  return does === 'have no name' ? unreachedMs : perCacheMs;
}

t.test(
  'as long as there is no link: never too soon to one cache, never at an end, and one that helps is found',
  async () => {
    fc.assert(
      fc.property(caches, fc.nat(11), fc.integer(), fc.constantFrom(PUBLIC, LAB), (drawn, at, seed, rules) => {
        // a lab listens to nobody who names caches
        const others = named(drawn).map(cache => (rules === LAB ? { ...cache, rank: 'own' as const } : cache));
        const servent = new Newcomer(others, rules, seeded(seed));
        servent.run((12 * HOUR_MS) / (rules === LAB ? 60 : 1));
        const lastAt = new Map<string, number>();
        for (const { at, address } of servent.asked) {
          const cache = others.find(other => other.address === address);
          const before = lastAt.get(address);
          if (cache !== undefined && before !== undefined && at - before < leastMs(cache, rules)) return false;
          lastAt.set(address, at);
        }
        // GWebCaches that fail may wait a day, and those only heard of are forgotten; other UDP host caches are asked on and on
        const recent = servent.now - (rules === LAB ? MINUTE_MS : 30 * MINUTE_MS);
        if (
          others.some(({ kind, rank }) => kind === 'udp' && rank !== 'heard') &&
          !servent.asked.some(({ at }) => at > recent)
        )
          return false;

        const helper: Cache = { kind: 'udp', rank: 'known', address: 'helper', does: 'bring a live host' };
        const helped = new Newcomer(others.toSpliced(at, 0, helper), rules, seeded(seed));
        return helped.run(HOUR_MS, () => helped.links > 0);
      }),
      { numRuns: 40 },
    );
  },
);

t.test('a GWebCache that helps is found among any others, within the hour between two of them', async () => {
  fc.assert(
    fc.property(caches, fc.nat(11), fc.integer(), (drawn, at, seed) => {
      const helper: Cache = { kind: 'web', rank: 'heard', address: 'http://helper/', does: 'bring a live host' };
      const servent = new Newcomer(named(drawn).toSpliced(at, 0, helper), PUBLIC, seeded(seed));
      return servent.run(14 * HOUR_MS, () => servent.links > 0);
    }),
    { numRuns: 20 },
  );
});
