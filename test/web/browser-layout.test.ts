// The page in a real browser at the sizes and with the habits of people: phones, wide screens, dark rooms, keyboards.
import t from 'tap';
import { EventStreams } from '../../api/event-stream.ts';
import { webPage } from '../../api/web-page.ts';
import { VIEWS } from '../../web/model.ts';
import { noContent, serveFake, TOKEN } from '../support/api-server.ts';
import { NO_BROWSER, openBrowser, openPage, signIn } from '../support/browser.ts';

t.test(
  'it fits a phone and a wide screen, dark and light, and works by keys alone',
  { skip: NO_BROWSER, timeout: 120_000 },
  async t => {
    const { server, control } = await serveFake(t, {
      page: webPage,
      streams: {
        events: new EventStreams({ lastId: 0, listen: () => () => undefined, kept: async function* () {} }),
        content: noContent,
        exportQueries: () => [],
        metrics: async () => ({ type: 'text/plain', text: '' }),
      },
    });
    const browser = await openBrowser(t);
    const grounds = new Set<string>();
    for (const [width, height] of [
      [360, 740],
      [1280, 800],
      [1920, 1080],
    ] as const)
      for (const colorScheme of width === 1920 ? (['dark'] as const) : (['light', 'dark'] as const)) {
        const { page, complaints } = await openPage(browser, `${server.url}/`, {
          viewport: { width, height },
          colorScheme,
        });
        await signIn(page, TOKEN);
        for (const view of VIEWS) {
          await page.evaluate(name => {
            location.hash = `#/${name}`;
          }, view);
          await page.locator(`main.view-${view}`).waitFor();
          if (view === 'downloads') {
            await page.getByRole('button', { name: /^Details of blue moon/ }).click();
            await page.getByRole('img', { name: /^Parts of the file: verified/ }).waitFor();
          }
          const over = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          );
          t.equal(over, 0, `${view} at ${width}: nothing reaches beyond the edge`);
        }
        grounds.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
        t.strictSame(complaints, []);
        await page.context().close();
      }
    t.equal(grounds.size, 2, 'dark is not light');

    const { page } = await openPage(browser, `${server.url}/`, { reducedMotion: 'reduce' });
    t.equal(await page.evaluate(() => document.activeElement?.id), 'token', 'the first key goes into the field');
    await page.keyboard.type('wrong-wrong-wrong-wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('The token is wrong.').waitFor();
    await signIn(page, TOKEN);
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    const walked: unknown[] = [];
    for (let presses = 0; presses < 12; presses++) {
      await page.keyboard.press('Tab');
      walked.push(await focused());
    }
    t.equal(walked[0], 'Skip to the content');
    for (const title of ['Status', 'Peers', 'Search', 'Library'])
      t.ok(
        walked.some(text => String(text).startsWith(title)),
        title,
      );
    await page.getByRole('link', { name: 'Downloads' }).first().focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Downloads' }).waitFor();
    t.match(await page.evaluate(() => document.activeElement?.tagName), 'MAIN', 'the focus follows');
    t.equal(
      await page.evaluate(() => getComputedStyle(document.querySelector('button') as Element).transitionDuration),
      '0s',
    );
    await page.getByRole('button', { name: /^Details of blue moon/ }).click();
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.getByText('Looking through the bytes of blue moon.ogg.').waitFor();
    t.ok(control.calls.some(([name]) => name === 'verifyDownload'));
    await page.getByRole('button', { name: 'Cancel blue moon.ogg' }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Cancel blue moon.ogg and delete its partial file?' });
    await dialog.waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    t.equal(await page.getByRole('row').filter({ hasText: 'blue moon.ogg' }).count(), 1, 'Escape is no');
    await page.getByRole('button', { name: 'Cancel blue moon.ogg' }).click();
    await dialog.getByRole('button', { name: 'Cancel the download' }).click();
    await page.getByText('No downloads.').waitFor();
  },
);
