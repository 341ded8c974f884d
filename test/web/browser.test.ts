// The page in a real browser over real daemons: what a person does from the first sign-in on, by keys and clicks.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { type Client, createClient } from '../../api/client.ts';
import { readApiToken } from '../../api/runtime-files.ts';
import { type RunningDaemon, startDaemon } from '../../daemon/daemon.ts';
import { silentLog } from '../../daemon/log.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { formatSha1Urn } from '../../protocol/wire/urn.ts';
import { resolveSettings } from '../../settings/resolve.ts';
import type { SettingKey } from '../../settings/settings.ts';
import { NO_BROWSER, openBrowser, openPage, signIn } from '../support/browser.ts';
import { partial, rangeOf, ScriptedSource } from '../support/scripted-source.ts';

const HOSTILE = '<img src=x onerror=alert(1)> \u202egpj.txt';
const CONTENT = randomBytes(300_000);

interface Servent extends Omit<RunningDaemon, 'gnutella'> {
  gnutella: string;
  client: Client;
  token: string;
}

async function start(dataDir: string, flags: Partial<Record<SettingKey, unknown>> = {}): Promise<Servent> {
  const resolved = await resolveSettings({
    flags: { profile: 'local', dataDir, 'gnutella.port': 0, 'api.port': 0, 'gnutella.mode': 'ultrapeer', ...flags },
    env: {},
  });
  const daemon = await startDaemon(resolved, silentLog);
  const token = (await readApiToken(dataDir)) ?? '';
  return {
    ...daemon,
    gnutella: formatEndpoint(daemon.gnutella),
    token,
    client: createClient({ url: daemon.api, token }),
  };
}

/** Asks until there is an answer. */
async function until<T>(what: string, ask: () => Promise<T | null>): Promise<T> {
  for (let tries = 0; tries < 2_400; tries++) {
    const found = await ask();
    if (found !== null) return found;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`${what}: not in time`);
}

const go = async (page: Page, title: string): Promise<void> => {
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: title }).click();
  await page.getByRole('heading', { level: 1, name: title }).waitFor();
};

/** The row of a table with this text in it. */
const row = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text }).first();

t.test('from signing in to a finished download', { skip: NO_BROWSER, timeout: 120_000 }, async t => {
  const home = t.testdir({ a: { shared: {} }, b: { shared: {} } });
  await mkdir(join(home, 'b', 'shared'), { recursive: true });
  await writeFile(join(home, 'a', 'shared', HOSTILE), 'harmless');
  await writeFile(join(home, 'b', 'shared', 'mountain ballad.txt'), CONTENT);
  let ours = await start(join(home, 'a'));
  const other = await start(join(home, 'b'));
  t.teardown(() => Promise.all([ours.stop(), other.stop()]));
  const browser = await openBrowser(t);
  const { page, complaints } = await openPage(browser, `${ours.api}/`, { viewport: { width: 1280, height: 800 } });

  await signIn(page, ours.token);
  await page.getByText('live', { exact: true }).first().waitFor();
  await page.getByRole('img', { name: /^Messages: in .*; maximum/ }).waitFor();
  t.match(await page.locator('.role').innerText(), /Ultrapeer/);
  t.notMatch(page.url(), ours.token, 'the token is in no address');
  t.strictSame(await page.evaluate(() => [localStorage.length, document.cookie]), [0, '']);

  await go(page, 'Peers');
  await page.getByLabel('Address to connect to').fill(other.gnutella);
  await page.keyboard.press('Enter');
  await row(page, other.gnutella).waitFor();
  await page.getByText(`Connected to ultrapeer ${other.gnutella}.`).waitFor();
  t.match(await row(page, other.gnutella).innerText(), /ultrapeer[\s\S]*servent\//);

  // What the other shares travels as a table, a second later.
  await until('the other is found', async () => {
    const { id } = await ours.client.startSearch({ text: 'mountain ballad', duration: 1 });
    const found = await until('the search has ended', async () => {
      const search = await ours.client.search({ id });
      return search.state === 'running' && search.results === 0 ? null : search;
    });
    await ours.client.removeSearch({ id });
    return found.results > 0 ? true : null;
  });
  await go(page, 'Search');
  await page.getByLabel('Words that all must match, or a URN').fill('mountain ballad');
  await page.keyboard.press('Enter');
  await row(page, 'mountain ballad.txt').waitFor();
  t.match(page.url(), /#\/searches\/./);
  await page.getByRole('button', { name: 'Download mountain ballad.txt' }).click();
  await page.getByText('Downloading mountain ballad.txt.').waitFor();
  await go(page, 'Downloads');
  await row(page, 'mountain ballad.txt').filter({ hasText: 'completed' }).waitFor();
  t.match(await row(page, 'mountain ballad.txt').innerText(), /100 %[\s\S]*293 KiB/);
  t.ok((await readFile(join(home, 'a', 'downloads', 'mountain ballad.txt'))).equals(CONTENT));

  await halfway(t, page);

  await go(page, 'Queries');
  await until('a query passes', async () => {
    const { id } = await other.client.startSearch({ text: 'blue moon', duration: 1 });
    await other.client.removeSearch({ id });
    return (await row(page, 'blue moon').isVisible()) ? true : null;
  });
  await page.getByRole('button', { name: 'Pause' }).click();
  const { id } = await other.client.startSearch({ text: 'red sun', duration: 1 });
  await page.getByRole('button', { name: /^Continue \(\d+ new\)$/ }).waitFor();
  t.notOk(await row(page, 'red sun').isVisible(), 'it stands still');
  await page.getByRole('button', { name: /^Continue/ }).click();
  await row(page, 'red sun').waitFor();
  await page.getByLabel('Filter by words').fill('sun');
  await row(page, 'blue moon').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Search for red sun' }).click();
  await page.getByRole('heading', { level: 2, name: 'red sun' }).waitFor();
  await other.client.removeSearch({ id });

  await go(page, 'Library');
  await row(page, 'onerror=alert(1)').waitFor();
  t.match(await row(page, 'onerror').innerText(), /<img src=x onerror=alert\(1\)> \ufffdgpj\.txt/);
  t.equal(await page.locator('img[src="x"]').count(), 0);

  await go(page, 'Peers');
  await page.getByRole('button', { name: `Disconnect ${other.gnutella}` }).click();
  await page.getByText('No connections.').waitFor();
  t.strictSame(complaints, [], 'nothing to complain about');

  // The daemon goes away and comes back: the page says so, and goes on by itself.
  await ours.stop();
  await page.getByRole('alert').getByText('The data shown may be outdated.').waitFor();
  await page.getByRole('button', { name: 'Try now' }).waitFor();
  ours = await start(join(home, 'a'), { 'api.port': Number(new URL(ours.api).port) });
  await page.getByText('The data shown may be outdated.').waitFor({ state: 'detached' });
  await ours.client.connect({ address: other.gnutella });
  await row(page, other.gnutella).waitFor();

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('API token').waitFor();
  t.equal(await page.evaluate(() => sessionStorage.length), 0);
});

/** A source that stops in the middle: seen, paused, resumed and finished. */
async function halfway(t: Test, page: Page): Promise<void> {
  const content = randomBytes(400_000);
  const sent = 160_000;
  let goOn = (): void => undefined;
  const released = new Promise<void>(resolve => {
    goOn = resolve;
  });
  const source = await ScriptedSource.open(t, async asked => {
    const range = rangeOf(asked, content.length);
    const reply = partial(content, range);
    const head = reply.length - (range.end - range.start);
    const cut = head + Math.max(0, Math.min(sent, range.end) - range.start);
    asked.socket.write(reply.subarray(0, cut));
    await released;
    if (!asked.socket.destroyed) asked.socket.write(reply.subarray(cut));
    return true;
  });
  const { port } = source.source.endpoint;
  const urn = formatSha1Urn(createHash('sha1').update(content).digest());
  const link = `magnet:?xt=${urn}&dn=slow+tide.bin&xl=${content.length}&xs=${encodeURIComponent(`http://127.0.0.1:${port}/uri-res/N2R?${urn}`)}`;
  await page.getByLabel('Magnet link or URN to download').fill(link);
  await page.keyboard.press('Enter');
  const line = row(page, 'slow tide.bin');
  await line.filter({ hasText: '40 %' }).waitFor();
  t.equal(await page.getByLabel('Progress of slow tide.bin').getAttribute('value'), String(sent));
  await page.getByRole('button', { name: 'Pause slow tide.bin' }).click();
  await line.filter({ hasText: 'paused' }).waitFor();
  goOn();
  await page.getByRole('button', { name: 'Resume slow tide.bin' }).click();
  await line.filter({ hasText: '100 %' }).filter({ hasText: 'completed' }).waitFor();
  await page.getByRole('button', { name: 'Forget slow tide.bin' }).click();
  await line.waitFor({ state: 'detached' });
}
