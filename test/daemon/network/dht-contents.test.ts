// Twelve whole daemons in a chain find and fetch by its hash what is beyond the reach of queries: through the DHT.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { formatSha1Urn } from '../../../protocol/wire/urn.ts';
import { hashed, type RunningServent, startServent, until } from '../../support/running-servent.ts';

const content = Buffer.from('nine ladies dancing, eight links away\n'.repeat(4_000));
const drums = Buffer.from('twelve drummers drumming, behind a firewall\n'.repeat(4_000));
const urnOf = (bytes: Buffer): string => formatSha1Urn(createHash('sha1').update(bytes).digest());
const ladies = urnOf(content);
/** Of the twelve: eight links are between both. */
const SEEKER = 1;
const SHARER = 9;

const completed = ({ client }: RunningServent, id: string) =>
  until('the download is complete', async () => {
    const download = await client.download({ id });
    return download.state === 'completed' ? download : null;
  });

/** What the DHT says of a file, as soon as it says something. */
const published = ({ client }: RunningServent, urn: string) =>
  until('the file is found in the DHT', async () => {
    if ((await client.dht()).state !== 'ready') return null;
    const { id } = await client.startDhtLookup({ urn });
    const { state, values } = await until('the lookup is over', async () => {
      const lookup = await client.dhtLookup({ id });
      return lookup.state === 'running' ? null : lookup;
    });
    return state === 'found' ? values : null;
  });

t.test('a file eight links away is found by hash in the DHT, fetched and verified', async t => {
  const shared = { shared: { 'ladies dancing.txt': content } };
  const home = t.testdir({ [`s${SHARER}`]: shared, leaf: { shared: { 'drums.txt': drums } } });
  const flags = { 'gnutella.seek': 0 };
  const servents: RunningServent[] = [];
  for (let n = 0; n < 12; n++) servents.push(await startServent(t, join(home, `s${n}`), flags));
  for (const [n, { client }] of servents.entries()) {
    const before = servents[n - 1];
    if (before !== undefined) await client.connect({ address: before.address });
  }
  const [seeker, sharer] = [servents[SEEKER], servents[SHARER]];
  if (seeker === undefined || sharer === undefined) throw new Error('no servent');
  await hashed(sharer.client, 1);

  const values = await published(seeker, ladies);
  t.match(values, [{ type: 'ALOC', address: sharer.address, firewalled: false, size: content.length }]);
  t.ok((await sharer.client.dht()).publishing > 0);

  const search = await seeker.client.startSearch({ urn: ladies });
  const result = await until('the search has a result', async () => {
    const { items } = await seeker.client.results({ id: search.id });
    return items[0] ?? null;
  });
  t.match(result, { urn: ladies, size: content.length });

  const { id } = await seeker.client.startDownload({ urn: ladies, sources: [] });
  const { path, sources } = await completed(seeker, id);
  t.same(await readFile(path ?? ''), content);
  t.match(sources, [{ address: sharer.address }]);
  t.equal(path, join(home, `s${SEEKER}`, 'downloads', 'ladies dancing.txt'), 'its source named it');
  t.equal((await sharer.client.queries()).items.length, 0, 'no query reached it');

  await t.test('so is one of a firewalled leaf, by a push through the proxy that the DHT names', async t => {
    const firewalled = { 'gnutella.mode': 'leaf', 'gnutella.reachable': 'no' };
    const leaf = await startServent(t, join(home, 'leaf'), { ...flags, ...firewalled });
    await leaf.client.connect({ address: servents.at(-1)?.address ?? '' });
    await hashed(leaf.client, 1);
    t.match(await published(seeker, urnOf(drums)), [{ type: 'ALOC', firewalled: true }]);
    const { id } = await seeker.client.startDownload({ urn: urnOf(drums), sources: [] });
    const { path, sources } = await completed(seeker, id);
    t.same(await readFile(path ?? ''), drums);
    t.match(sources, [{ push: true }]);
  });
});
