// A private network of daemons is crawled wholly, by TCP and by UDP, through the command line.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { CrawledEdge, CrawledHost } from '../../../protocol/crawl/crawl-report.ts';
import { command } from '../../support/command.ts';
import { duckDbMissing } from '../../support/duckdb.ts';
import { journalRows } from '../../support/journals.ts';
import { type RunningServent, startServent, until } from '../../support/running-servent.ts';

const noDuckDb = await duckDbMissing();

interface Crawled {
  hosts: CrawledHost[];
  edges: CrawledEdge[];
  counts: Record<string, number>;
  asked: number;
}

/** Three ultrapeers in a triangle, and three leaves: of one, of two and of all of them. */
async function network(t: Test, folder: string): Promise<RunningServent[]> {
  const servents: RunningServent[] = [];
  const start = async (mode: 'ultrapeer' | 'leaf', connect: readonly number[]): Promise<void> => {
    const name = `n${servents.length}`;
    const addresses = connect.map(i => servents[i]?.address ?? '');
    servents.push(
      await startServent(t, join(folder, name), {
        ...{ 'gnutella.mode': mode, 'gnutella.seek': 0, 'gnutella.connect': addresses, 'bootstrap.enabled': false },
      }),
    );
  };
  await start('ultrapeer', []);
  await start('ultrapeer', [0]);
  await start('ultrapeer', [0, 1]);
  await start('leaf', [0]);
  await start('leaf', [0, 1]);
  await start('leaf', [0, 1, 2]);
  const degrees = [5, 4, 3, 1, 2, 3];
  await until('all links are up', async () => {
    const peers = await Promise.all(servents.map(async ({ client }) => (await client.peers()).items.length));
    return peers.join() === degrees.join() ? true : null;
  });
  return servents;
}

/** The links as their dialling ends say. */
async function linksOf(servents: readonly RunningServent[]): Promise<string[]> {
  const links: string[] = [];
  for (const { client, address } of servents)
    for (const peer of (await client.peers()).items)
      if (peer.direction === 'outgoing') links.push([address, peer.address].sort().join(' '));
  return links.sort();
}

const linkNames = (edges: readonly CrawledEdge[]): string[] =>
  edges.map(({ host, neighbour }) => [host, neighbour].sort().join(' ')).sort();

t.test('every servent and every link, by TCP and by UDP', async t => {
  const folder = t.testdir({});
  const servents = await network(t, folder);
  const [first] = servents;
  if (first === undefined) throw new Error('no servent');
  const links = await linksOf(servents);
  t.equal(links.length, 9);
  for (const over of ['tcp', 'udp']) {
    const files = { graphml: join(folder, `${over}.graphml`), svg: join(folder, `${over}.svg`) };
    const { code, err, json } = await command(
      [
        ...['crawl', first.address, '--profile', 'local', '--data-dir', join(folder, 'data'), '--over', over, '--json'],
        ...['--recording', join(folder, over), '--graphml', files.graphml, '--svg', files.svg],
      ],
      { cwd: folder },
    );
    t.equal(code, 0, err);
    const { hosts, edges, counts, asked } = json<Crawled>();
    t.strictSame(
      hosts.map(({ address }) => address).sort(),
      servents.map(({ address }) => address).sort(),
      `${over}: all servents`,
    );
    t.strictSame(linkNames(edges), links, `${over}: all links`);
    t.match(counts, { answered: 6, refused: 0, silent: 0 });
    t.equal(asked, 6, 'each was asked once');
    t.ok(
      edges.every(({ both }) => both),
      'both ends tell of each link',
    );
    t.equal(edges.filter(({ kind }) => kind === 'leaf').length, 6);
    for (const [i, { address }] of servents.entries()) {
      const host = hosts.find(one => one.address === address);
      t.equal(host?.role, i < 3 ? 'ultrapeer' : 'leaf', `${over}: role of servent ${i}`);
      t.equal(host?.way, over);
      if (over === 'tcp') t.match(host?.userAgent, /^servent\//i);
    }
    const xml = readFileSync(files.graphml, 'utf8');
    t.equal(xml.match(/<node /g)?.length, 6);
    t.equal(xml.match(/<edge /g)?.length, 9);
    const svg = readFileSync(files.svg, 'utf8');
    t.match(svg, /6 hosts, 9 links/);
    t.match(svg, /lecture: power law/);
    const rows = (table: 'hosts' | 'edges'): Record<string, unknown>[] =>
      readdirSync(join(folder, over))
        .filter(file => file.startsWith(`${table}-`))
        .flatMap(file => journalRows(join(folder, over, file), table));
    t.equal(rows('hosts').length, 6);
    t.equal(rows('edges').length, 9);
    if (noDuckDb === null) {
      const asked = await command(['analyse', 'crawled-degrees', '--recording', join(folder, over), '--json']);
      t.equal(asked.code, 0, asked.err);
      t.match(asked.json<{ rows: unknown[] }>().rows, [
        { degree: 1, hosts: 1 },
        { degree: 2, hosts: 1 },
        { degree: 3, hosts: 2 },
        { degree: 4, hosts: 1 },
        { degree: 5, hosts: 1 },
      ]);
    }
    t.match(rows('edges')[0], { servent: /^[0-9a-f]{32}$/, run: /^[0-9a-f]{8}$/, told: 2 });
  }
  const table = await command(
    ['crawl', first.address, '--profile', 'local', '--data-dir', join(folder, 'data'), '--no-recording', '--plot'],
    { cwd: folder },
  );
  t.equal(table.code, 0, table.err);
  t.match(table.out, /HOST +STATE +ROLE/);
  t.match(table.out, /share of hosts over links/);
  t.match(table.err, /6 hosts answered, 0 refused, 0 were silent/);
  const bare = await command(['crawl', '--profile', 'local', '--json', '--no-recording', '--data-dir', first.dataDir], {
    cwd: folder,
  });
  t.equal(bare.code, 0, bare.err);
  t.equal(bare.json<Crawled>().counts['answered'], 6, 'without an address it begins with the servent that runs');
});

t.test('what may not be asked is said in one line', async t => {
  const folder = t.testdir({});
  const crawl = (...words: string[]) =>
    command(['crawl', '--data-dir', join(folder, 'data'), '--no-recording', ...words], { cwd: folder });
  t.match(await crawl('20.0.0.1:6346', '--profile', 'local'), { code: 2, err: /profile local does not reach public/ });
  t.match(await crawl('20.0.0.1:6346', '--profile', 'lan'), { code: 2, err: /profile lan does not reach public/ });
  t.match(await crawl('127.0.0.1:6346', '--profile', 'public'), { code: 2, err: /does not reach loopback/ });
  t.match(await crawl('127.0.0.1:0', '--profile', 'local'), { code: 2, err: /is no address/ });
  t.match(await crawl('no address\u0000\u001b[2J', '--profile', 'local'), {
    code: 2,
    err: /is no address: give an IP/,
  });
  t.match(await crawl('127.0.0.1:1', '--profile', 'public', '--rate', '500'), { code: 2, err: /at most 20/ });
  t.match(await crawl('127.0.0.1:1', '--profile', 'local', '--over', 'fax'), { code: 2, err: /--over is tcp, udp/ });
  t.match(await crawl('--profile', 'local'), { code: /[12]/, err: /no daemon|no host to begin with|servent start/ });
  t.match(await crawl('127.0.0.1:1', '--profile', 'local', '--interface', 'none0'), { code: 1, err: /none0/ });
  writeFileSync(join(folder, 'crawled.json'), 'not ours');
  t.match(await command(['crawl', '127.0.0.1:1', '--profile', 'local', '--data-dir', folder], { cwd: folder }), {
    ...{ code: 1, err: /crawled\.json is damaged or of another version/ },
  });
});

t.test('servers that speak nonsense, nothing or no end are told apart', async t => {
  const folder = t.testdir({});
  const says = async (bytes: Buffer | null): Promise<string> => {
    const server = createServer(socket => {
      socket.on('error', () => undefined);
      if (bytes === null) socket.destroy();
      else socket.write(bytes);
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => server.close());
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const every = Buffer.from([...Array.from({ length: 256 }, (_, i) => i), 10, 10, 10]);
  const aims = [
    await says(every),
    await says(null),
    await says(Buffer.alloc(100_000, 'x')),
    await says(Buffer.from('GNUTELLA/0.6 403 No\r\n\r\n')),
    await says(Buffer.from('GNUTELLA/0.6 200 OK\r\nCrawler: never\r\nPeers: 127.0.0.1:1\r\n\r\n')),
  ];
  const { code, json, err } = await command(
    ['crawl', ...aims, '--profile', 'local', '--over', 'tcp', '--data-dir', folder, '--no-recording', '--json'],
    { cwd: folder },
  );
  t.equal(code, 0, err);
  const states = new Map(json<Crawled>().hosts.map(({ address, state }) => [address, state]));
  t.strictSame(
    aims.map(aim => states.get(aim)),
    ['unreadable', 'silent', 'unreadable', 'refused', 'refused'],
  );
  const again = await command(
    ['crawl', aims[4] ?? '', '--profile', 'local', '--over', 'tcp', '--data-dir', folder, '--no-recording'],
    { cwd: folder },
  );
  t.match(again, { code: 1, err: /these hosts want no crawlers/ });
});
