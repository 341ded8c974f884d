// Marks of results: what spammers do is marked, what honest servents do is not.
import t from 'tap';
import type { FoundContent } from '../../../../protocol/overlay/queries/found-content.ts';
import { FoundContents } from '../../../../protocol/overlay/queries/found-contents.ts';
import { BAD_CONTENTS_MAX, KnownSpam } from '../../../../protocol/overlay/queries/known-spam.ts';
import { queryWords } from '../../../../protocol/search/tokenizer.ts';
import { PLAIN_HIT, PLAIN_QUERY_HIT, type QueryHit } from '../../../../protocol/wire/query-hit.ts';

interface File {
  readonly name: string;
  readonly size?: number;
  readonly sha1?: number | null;
}

const sha1Of = (number: number): Buffer => {
  const sha1 = Buffer.alloc(20, 7);
  sha1.writeUInt32BE(number, 0);
  return sha1;
};

/** Files of one servent. */
function hitFrom(host: string, files: readonly File[], servent = host.length): QueryHit {
  return {
    ...PLAIN_QUERY_HIT,
    endpoint: { host, port: 6346 },
    speedKbps: 1,
    vendor: 'TEST',
    serventGuid: Buffer.alloc(16, servent),
    hits: files.map(({ name, size = 5_000_123, sha1 = null }, index) => ({
      ...PLAIN_HIT,
      index,
      name,
      size,
      sha1: sha1 === null ? null : sha1Of(sha1),
    })),
  };
}

function search(text: string, known = new KnownSpam()) {
  const found = new FoundContents(() => true, { words: queryWords(text), known });
  const take = (hit: QueryHit): void => found.add(hit, 1, 0, () => undefined);
  const reasons = (content: FoundContent): string[] => found.marksOf(content).map(({ reason }) => reason);
  return { found, take, reasons, all: () => found.values().flatMap(reasons), known };
}

const hostOf = (number: number): string => `5.5.${number >> 8}.${number & 255}`;

t.test('an album of twelve tracks with names and sizes of their own is not marked', async t => {
  const { take, all } = search('green field seasons');
  const titles = 'Dawn,Rain,Harvest,Frost,Meadow,River,Stone,Wind,Ember,Hollow,Lantern,Dusk'.split(',');
  take(
    hitFrom(
      '5.5.1.1',
      titles.map((title, i) => ({
        name: `Green Field - Seasons - ${String(i + 1).padStart(2, '0')} - ${title}.mp3`,
        size: 4_000_001 + i * 77_777,
        sha1: i,
      })),
    ),
  );
  t.strictSame(all(), []);
});

t.test('a series that differs in numbers only is not marked', async t => {
  const { take, all } = search('green field lectures');
  take(
    hitFrom(
      '5.5.1.1',
      Array.from({ length: 20 }, (_, i) => ({
        name: `green field lectures ${i}.mp3`,
        size: 9_000_001 + i * 31,
        sha1: i,
      })),
    ),
  );
  t.strictSame(all(), []);
});

t.test('the same content under twenty names is not marked', async t => {
  const { take, found, all } = search('green field');
  for (let i = 0; i < 20; i++)
    take(hitFrom(hostOf(i), [{ name: `green field (copy of user ${i}) v${i}.mp3`, sha1: 1 }], i));
  t.equal(found.size, 1);
  t.strictSame(all(), []);
});

t.test('one title in many encodings, each of another address, is not marked', async t => {
  const { take, all } = search('green field dawn');
  for (let i = 0; i < 40; i++)
    take(hitFrom(hostOf(i), [{ name: 'Green Field - Dawn.mp3', size: 3_000_007 + i * 1_001, sha1: i }], i));
  for (let i = 0; i < 40; i++)
    take(
      hitFrom('192.168.0.2', [{ name: 'Green Field - Dawn.mp3', size: 8_000_007 + i * 1_001, sha1: 100 + i }], 100 + i),
    );
  t.strictSame(all(), [], 'nor when they stand behind equal private addresses');
});

t.test('files of one name in many folders, and volumes and disk images of one size, are not marked', async t => {
  const readme = search('readme');
  readme.take(
    hitFrom(
      '5.5.1.1',
      Array.from({ length: 50 }, (_, i) => ({ name: 'readme.txt', size: 100 + i, sha1: i })),
    ),
  );
  t.strictSame(readme.all(), []);
  const covers = search('front cover');
  covers.take(
    hitFrom(
      '5.5.1.1',
      Array.from({ length: 50 }, (_, i) => ({ name: 'front cover.jpg', size: 9_001 + i, sha1: i })),
    ),
  );
  t.strictSame(covers.all(), []);
  const tracks = search('track 01');
  tracks.take(
    hitFrom(
      '5.5.1.1',
      Array.from({ length: 9 }, (_, i) => ({ name: 'Track 01.mp3', size: 900_001 + i, sha1: i })),
    ),
  );
  t.strictSame(tracks.all(), []);
  const volumes = search('green field');
  volumes.take(
    hitFrom(
      '5.5.1.1',
      Array.from({ length: 30 }, (_, i) => ({ name: `green field.part${i}.rar`, size: 15_000_001, sha1: i })),
    ),
  );
  t.strictSame(volumes.all(), []);
  const floppies = search('boot disk');
  floppies.take(
    hitFrom(
      '5.5.1.1',
      'red,blue,white,black,brown,grey,pink,gold,teal'
        .split(',')
        .map((name, i) => ({ name: `boot disk ${name}.img`, size: 1_474_560, sha1: i })),
    ),
  );
  t.strictSame(floppies.all(), []);
});

t.test(
  'one address that answers the words asked with many sizes of one name is marked, from the fourth on',
  async t => {
    const { take, found, reasons, all } = search('green field dawn');
    const echo = (i: number): File => ({
      name: 'green field dawn (full version).wma',
      size: 600_001 + i * 1_357,
      sha1: i,
    });
    take(hitFrom('5.5.1.1', [echo(0), echo(1), echo(2)]));
    t.strictSame(all(), []);
    take({
      ...hitFrom('5.5.1.1', [echo(3)], 99),
      hits: hitFrom('5.5.1.1', [echo(3)]).hits.map(hit => ({ ...hit, index: 3 })),
    });
    t.equal(found.size, 4);
    t.strictSame(all(), ['echo', 'echo', 'echo', 'echo'], 'other GUIDs of the address do not hide it');
    take(hitFrom('5.5.2.2', [{ name: 'green field dawn (full version).wma', size: 600_001, sha1: 0 }], 3));
    const [first] = found.values();
    t.strictSame(first === undefined ? null : reasons(first), [], 'what somebody else has too is no echo');
  },
);

t.test('a program whose name is nothing but the words asked is marked, unless many have it', async t => {
  const { take, found, reasons, all } = search('green field player');
  take(hitFrom('5.5.1.1', [{ name: 'Green Field Player.exe', sha1: 1 }]));
  t.strictSame(all(), ['echo']);
  for (let i = 2; i < 5; i++) take(hitFrom(hostOf(i), [{ name: 'Green Field Player.exe', sha1: 1 }], i));
  t.strictSame(found.values().flatMap(reasons), []);
  const short = search('winamp');
  short.take(hitFrom('5.5.1.1', [{ name: 'winamp.exe', sha1: 1 }]));
  t.strictSame(short.all(), []);
});

t.test('contents of exactly one size under unlike names are a cluster', async t => {
  const { take, found, all } = search('green field');
  const others = 'crack,keygen,dvdrip,remix,unplugged,karaoke,trailer,screensaver'.split(',');
  const fake = (i: number): File => ({ name: `green field ${others[i]}.zip`, size: 381_777, sha1: i });
  for (let i = 0; i < 7; i++) take(hitFrom(hostOf(i), [fake(i)], i));
  take(hitFrom('5.6.1.1', [{ name: 'green field.mp3', size: 5_432_109, sha1: 90 }]));
  t.strictSame(all(), []);
  take(hitFrom('5.6.1.2', [fake(7)], 8));
  t.strictSame(all(), Array(8).fill('size_cluster'));
  t.equal(found.size, 9, 'the honest one is not marked');
});

t.test('a content that is named as three types is marked', async t => {
  const { take, all } = search('green field');
  take(hitFrom('5.5.1.1', [{ name: 'green field.mp4', sha1: 1 }], 1));
  take(hitFrom('5.5.1.2', [{ name: 'green field.m4a', sha1: 1 }], 2));
  t.strictSame(all(), []);
  take(hitFrom('5.5.1.3', [{ name: 'green field setup.exe', sha1: 1 }], 3));
  t.strictSame(all(), ['many_types']);
});

t.test('names and sizes that cannot be are marked in a browse and a search by hash too', async t => {
  const { take, found, all } = search('');
  take(
    hitFrom('5.5.1.1', [
      { name: 'song.mp3.exe', sha1: 1 },
      { name: 'film.avi', size: 12, sha1: 2 },
    ]),
  );
  t.strictSame(all(), ['disguised', 'impossible_size']);
  t.ok(found.values().every(content => found.marksOf(content).every(({ text }) => text.length > 10)));
});

t.test('contents on the list and servents that sent wrong bytes are marked wherever they are found', async t => {
  const { take, found, all, known } = search('green field');
  take(
    hitFrom('5.5.1.1', [
      { name: 'green field.mp3', sha1: 1 },
      { name: 'green field live.mp3', sha1: 2 },
    ]),
  );
  const before = found.revision;
  t.ok(known.add(sha1Of(1), { note: 'a siren', addedAt: 0 }));
  t.strictSame(all(), ['known_bad']);
  t.not(found.revision, before, 'it is told that marks may have changed');
  known.charge({ host: '5.5.1.1', port: 6346 });
  t.strictSame(all(), ['known_bad', 'wrong_bytes', 'wrong_bytes']);
  take(hitFrom('5.5.1.2', [{ name: 'green field.mp3', sha1: 1 }], 4));
  t.strictSame(all(), ['known_bad', 'wrong_bytes'], 'one source that is not charged is enough');
  t.ok(known.remove(sha1Of(1)));
  t.notOk(known.remove(sha1Of(1)));
  t.strictSame(all(), ['wrong_bytes']);
  known.charge({ host: '5.5.1.1', port: 6346 });
  known.pardon({ host: '5.5.1.1', port: 6346 });
  known.pardon({ host: '5.5.1.9', port: 6346 });
  t.strictSame(all(), ['wrong_bytes'], 'one of two charges stays');
  known.pardon({ host: '5.5.1.1', port: 6346 });
  t.strictSame(all(), []);
});

t.test('the list and the memory of senders are bounded', async t => {
  const known = new KnownSpam();
  for (let i = 0; i < BAD_CONTENTS_MAX; i++) known.add(sha1Of(i), { note: null, addedAt: i });
  t.notOk(known.add(sha1Of(BAD_CONTENTS_MAX), { note: null, addedAt: 0 }));
  t.ok(known.add(sha1Of(3), { note: 'again', addedAt: 5 }), 'a known one is changed');
  t.equal(known.size, BAD_CONTENTS_MAX);
  for (let i = 0; i < 10_000; i++) known.charge({ host: hostOf(i), port: 6346 });
  t.equal(known.senders, 4_096);
});

t.test('a flood of echoes costs a bounded time a hit', async t => {
  const { found } = search('green field dawn');
  const began = process.cpuUsage();
  const HITS = 20_000;
  for (let i = 0; i < HITS; i += 10)
    found.add(
      hitFrom(
        hostOf(i % 4_000),
        Array.from({ length: 10 }, (_, j) => ({
          name: `green field dawn ${i + j}.mp3`,
          size: 70_001 + i + j,
          sha1: i + j,
        })),
        i % 251,
      ),
      1,
      0,
      () => undefined,
    );
  for (const content of found.values()) found.marksOf(content);
  const { user, system } = process.cpuUsage(began);
  const each = (user + system) / HITS;
  t.ok(each < 200, `${each.toFixed(1)} µs a hit`);
  t.comment(`${each.toFixed(1)} µs a hit, marks included`);
});
