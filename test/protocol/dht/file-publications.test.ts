// Which files are published in the DHT: the rare ones, in turns where there are more than fit, and until they are shared no more.
import fc from 'fast-check';
import t from 'tap';
import { parseAloc } from '../../../protocol/dht/aloc.ts';
import { DhtCounters } from '../../../protocol/dht/dht-counters.ts';
import {
  ALTERNATES_MAX,
  ALTERNATES_OF_PARTIAL_MAX,
  FILES_MAX,
  FilePublications,
  POPULAR_MS,
  type PublishedFile,
} from '../../../protocol/dht/file-publications.ts';
import type { OnLookupEnd } from '../../../protocol/dht/lookups.ts';
import { Publisher } from '../../../protocol/dht/publisher.ts';
import type { SharedFile } from '../../../protocol/search/shared-file.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { anyContact, endpointOf } from '../../support/dht-contacts.ts';
import { endedLookup } from '../../support/dht-lookups.ts';

const MINUTE_MS = 60_000;
const random = new SeededRandom(5);
const creator = anyContact(random, endpointOf(1));
const GUID = random.guid();

const sha1Of = (n: number): Buffer => {
  const sha1 = Buffer.alloc(20);
  sha1.writeUInt32BE(n, 16);
  return sha1;
};

/** A publisher whose lookups end when the test says so, at nodes that are not there: nothing is stored, all is due again later. */
class Scene {
  now = 0;
  /** By SHA-1 in hex. */
  readonly files = new Map<string, SharedFile>();
  partials: PublishedFile[] = [];
  readonly others = new Map<number, number>();
  own = { serventGuid: GUID, firewalled: false, endpoint: { host: '9.9.9.9', port: 6346 }, tls: false };
  readonly lookups: { readonly target: Buffer; readonly onEnd: OnLookupEnd }[] = [];
  readonly started: number[] = [];
  readonly publisher = this.newPublisher();
  readonly publications: FilePublications;

  constructor(...numbers: number[]) {
    for (const n of numbers) this.share(n);
    this.publications = new FilePublications(
      {
        library: {
          shared: () => this.files.values(),
          bySha1: sha1 => this.files.get(sha1.toString('hex')) ?? null,
        },
        partials: () => this.partials,
        alternates: sha1 => this.others.get(sha1.readUInt32BE(16)) ?? 0,
        own: () => this.own,
      },
      0,
    );
  }

  newPublisher(): Publisher {
    const start = ({ target }: { target: Buffer }, _now: number, onEnd: OnLookupEnd): void => {
      this.started.push(target.readUInt32BE(16));
      this.lookups.push({ target, onEnd });
    };
    const ports = { lookups: { start }, requests: {}, counters: new DhtCounters(), creator: () => creator };
    return new Publisher(ports as unknown as ConstructorParameters<typeof Publisher>[0]);
  }

  share(n: number, tigerRoot: Buffer | null = null): void {
    const sha1 = sha1Of(n);
    this.files.set(sha1.toString('hex'), {
      ...{ index: n, name: `${n}.bin`, size: 1_000 + n, sha1, tigerRoot, modifiedAt: 0 },
    });
  }

  unshare(n: number): void {
    this.files.delete(sha1Of(n).toString('hex'));
  }

  /** Lets time pass in seconds; lookups end at once. */
  pass(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.now += 1_000) {
      this.publications.tick(this.publisher, this.now);
      this.publisher.tick(this.now);
      this.endLookups();
    }
  }

  endLookups(): void {
    for (const { target, onEnd } of this.lookups.splice(0)) {
      const nothing = endedLookup(target);
      onEnd(nothing, this.now);
    }
  }

  get published(): number[] {
    return this.publisher
      .views()
      .map(({ key }) => key.readUInt32BE(16))
      .sort((a, b) => a - b);
  }

  alocOf(n: number) {
    const view = this.publisher.views().find(({ key }) => key.equals(sha1Of(n)));
    return view === undefined ? null : parseAloc(view.data, view.version);
  }
}

t.test('what is published of a file', async t => {
  const scene = new Scene();
  const root = Buffer.alloc(24, 7);
  scene.share(1, root);
  scene.partials = [{ sha1: sha1Of(2), size: 5_000, tigerRoot: null, available: 1_234 }];
  scene.own.tls = true;
  scene.pass(3_000);
  const both = { serventGuid: GUID, firewalled: false, port: 6346, tls: true, hostName: null };
  t.match(scene.alocOf(1), { ...both, length: 1_001, tigerRoot: root, available: null });
  t.match(scene.alocOf(2), { ...both, length: 5_000, tigerRoot: null, available: 1_234 });
  t.equal(scene.publications.size, 2);
});

t.test('files that many others have are left out, parts sooner, and looked at again after 3 hours', async t => {
  const scene = new Scene(1, 2);
  scene.others.set(1, ALTERNATES_MAX).set(2, ALTERNATES_MAX + 1);
  scene.others.set(3, ALTERNATES_OF_PARTIAL_MAX).set(4, ALTERNATES_OF_PARTIAL_MAX + 1);
  const part = { size: 5_000, tigerRoot: null, available: 10 };
  scene.partials = [3, 4].map(n => ({ ...part, sha1: sha1Of(n) }));
  scene.pass(MINUTE_MS);
  t.strictSame(scene.published, [1, 3]);
  t.equal(scene.publications.passedOver.of('popular'), 2);
  scene.others.clear();
  scene.pass(POPULAR_MS - 2 * MINUTE_MS);
  t.strictSame(scene.published, [1, 3]);
  scene.pass(15 * MINUTE_MS);
  t.strictSame(scene.published, [1, 2, 3, 4]);
});

t.test('a published file that others have by now is given up when it is due again', async t => {
  const scene = new Scene(1, 2);
  scene.pass(2_000);
  scene.others.set(1, ALTERNATES_MAX + 1);
  scene.pass(60 * MINUTE_MS);
  t.strictSame(scene.published, [2]);
});

t.test('a file that is shared no more is withdrawn, and one that is new is published', async t => {
  const scene = new Scene(1, 2);
  scene.pass(2_000);
  scene.unshare(1);
  scene.share(3);
  scene.publications.onLibraryChanged();
  scene.pass(3_000);
  t.strictSame(scene.published, [2, 3]);
});

t.test('a download that ends is withdrawn, or told to be whole when it is shared', async t => {
  const scene = new Scene();
  const part = { size: 5_000, tigerRoot: null, available: 10 };
  scene.partials = [1, 2].map(n => ({ ...part, sha1: sha1Of(n) }));
  scene.pass(2_000);
  t.strictSame(scene.published, [1, 2]);
  scene.partials = [];
  scene.share(2);
  scene.publications.onLibraryChanged();
  scene.pass(20_000);
  t.strictSame(scene.published, [2]);
  t.equal(scene.alocOf(2)?.available, null);
});

t.test('all are published anew when we are firewalled, or at another address', async t => {
  const scene = new Scene(1, 2, 3);
  scene.pass(2_000);
  scene.started.length = 0;
  scene.own.firewalled = true;
  scene.pass(15_000);
  t.strictSame(scene.started.toSorted(), [1, 2, 3]);
  t.equal(scene.alocOf(1)?.firewalled, true);
  scene.started.length = 0;
  scene.own.endpoint = { host: '8.8.8.8', port: 6346 };
  scene.pass(15_000);
  t.strictSame(scene.started, [], 'once a minute');
  scene.pass(MINUTE_MS);
  t.strictSame(scene.started.toSorted(), [1, 2, 3]);
});

t.test('they are published again after the node was off, and go on when its mode changes', async t => {
  const scene = new Scene(1, 2);
  scene.pass(2_000);
  scene.publications.tick(null, scene.now);
  t.equal(scene.publications.size, 0);
  const fresh = scene.newPublisher();
  scene.publications.tick(fresh, scene.now);
  t.equal(fresh.size, 2);
});

t.test('four are under way at one time; the one that has been due for the longest is next', async t => {
  const scene = new Scene(1, 2, 3, 4, 5, 6);
  scene.others.set(1, 5).set(2, 4).set(3, 3);
  scene.publications.tick(scene.publisher, 0);
  scene.publisher.tick(0);
  t.strictSame(scene.started, [4, 5, 6, 3], 'the rarest first');
  scene.endLookups();
  scene.publisher.tick(0);
  t.strictSame(scene.started.slice(4), [2, 1]);
});

t.test('of more files than there is room for, each has its turn', async t => {
  const scene = new Scene();
  const count = FILES_MAX + 1_000;
  for (let n = 0; n < count; n++) scene.share(n);
  const { publications, publisher } = scene;
  const seen = new Set<number>();
  // lookups end at once, and a publication that is stored nowhere is due again after 5 minutes
  for (; scene.now < 60 * MINUTE_MS && seen.size < count; scene.now += 1_000) {
    publications.tick(publisher, scene.now);
    for (let i = 0; i < 16; i++) {
      publisher.tick(scene.now);
      scene.endLookups();
    }
    for (const n of scene.started.splice(0)) seen.add(n);
    if (publisher.size > FILES_MAX) t.fail(`${publisher.size} publications`);
  }
  t.equal(seen.size, count);
});

t.test(
  'whatever happens to a library, what is published is shared and rare, and nothing is left out for long',
  async () => {
    const change = fc.record({
      kind: fc.constantFrom('share', 'unshare', 'others', 'firewall', 'pass'),
      n: fc.integer({ min: 0, max: 12 }),
      count: fc.integer({ min: 0, max: 8 }),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), changes => {
        const scene = new Scene();
        for (const { kind, n, count } of changes) {
          if (kind === 'share') scene.share(n);
          if (kind === 'unshare') scene.unshare(n);
          if (kind === 'others') scene.others.set(n, count);
          if (kind === 'firewall') scene.own.firewalled = count > 4;
          if (kind === 'pass') scene.pass(count * 1_000);
          else scene.publications.onLibraryChanged();
        }
        scene.pass(2 * POPULAR_MS);
        const rare = [...scene.files.values()].filter(({ index }) => (scene.others.get(index) ?? 0) <= ALTERNATES_MAX);
        const wanted = rare.map(({ index }) => index).sort((a, b) => a - b);
        if (scene.published.join() !== wanted.join()) throw new Error(`${scene.published} instead of ${wanted}`);
        if (scene.publications.size !== wanted.length) throw new Error(`counts ${scene.publications.size}`);
      }),
      { seed: 15, numRuns: 30 },
    );
  },
);
