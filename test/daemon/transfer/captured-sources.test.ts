// Downloads from gtk-gnutella and LimeWire as they were captured: their very bytes where a whole file was kept, their heads where not.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { parseUrn } from '../../../protocol/wire/urn.ts';
import { gtkgReplies, limewireReplies } from '../../support/captured-http.ts';
import { DownloadRig, sha1 } from '../../support/download-rig.ts';
import { drip, rangeOf, ScriptedSource } from '../../support/scripted-source.ts';
import { testBytes } from '../../support/shared-files.ts';

/** Lengths of the pieces that a reply arrives in: the same for a seed. */
function pieces(seed: number): () => number {
  const lengths = fc.sample(fc.integer({ min: 1, max: 700 }), { seed, numRuns: 400 });
  let at = 0;
  return () => lengths[at++ % lengths.length] ?? 1;
}

/** A captured head with the numbers of another file, everything else as it was. */
function retold(headText: string, fields: Record<string, string>): string {
  let text = headText;
  for (const [name, value] of Object.entries(fields)) {
    const line = new RegExp(`^${name}: .*$`, 'm');
    if (!line.test(text)) throw new Error(`no ${name} in the captured head`);
    text = text.replace(line, `${name}: ${value}`);
  }
  return text;
}

t.test('a whole file of gtk-gnutella, byte for byte, in pieces of any size', async t => {
  const [whole] = gtkgReplies('http-get-whole');
  if (whole === undefined) throw new Error('empty fixture');
  const bytes = Buffer.concat([Buffer.from(whole.headText, 'latin1'), whole.body]);
  const { sha1: hash } = parseUrn('urn:sha1:PLKQGIZGSFAYIS2XQOHQNEAWXQNE7MEE');
  const rig = await DownloadRig.open(t, t.testdir());
  for (let seed = 1; seed <= 8; seed++) {
    const source = await ScriptedSource.open(t, async ({ socket }) => {
      await drip(socket, bytes, pieces(seed));
      return false;
    });
    const size = seed % 2 === 0 ? 3000 : null;
    const { id } = await rig.downloads.add({ sha1: hash, size, name: 'song.ogg', sources: [source.source] });
    const view = await rig.ended(id);
    t.match(view, { state: 'completed', size: 3000 });
    t.ok(readFileSync(view.path ?? '').equals(whole.body));
    await rig.downloads.cancel(id);
  }
});

for (const [who, reply] of [
  ['gtk-gnutella', gtkgReplies('http-get-range').find(({ label }) => label === 'first 200 bytes')],
  ['LimeWire', limewireReplies().find(({ label }) => label === 'GET range, features, alts')],
] as const) {
  t.test(`range after range with the heads of ${who}, in pieces of any size`, async t => {
    if (reply === undefined) throw new Error('not in the fixture');
    const content = testBytes(40_000);
    const hash = sha1(content);
    const source = await ScriptedSource.open(t, async asked => {
      const { start, end } = rangeOf(asked, content.length);
      const stop = Math.min(end, start + 9000);
      const head = retold(reply.headText, {
        'Content-Range': `bytes ${start}-${stop - 1}/${content.length}`,
        'Content-Length': String(stop - start),
        'X-Gnutella-Content-URN': asked.head.headers.get('X-Gnutella-Content-URN') ?? '',
      });
      const bytes = Buffer.concat([Buffer.from(head, 'latin1'), content.subarray(start, stop)]);
      await drip(asked.socket, bytes, pieces(asked.number + 7));
      return true;
    });
    const rig = await DownloadRig.open(t, t.testdir());
    const { id } = await rig.downloads.add({ sha1: hash, size: content.length, name: 'x', sources: [source.source] });
    const view = await rig.ended(id);
    t.match(view, { state: 'completed' });
    t.ok(readFileSync(view.path ?? '').equals(content));
    t.equal(source.connections, 1);
    t.equal(source.requests.length, 5);
  });
}

t.test('busy and queued as gtk-gnutella said it, then served', async t => {
  const content = testBytes(1000);
  const [queued] = gtkgReplies('http-queued-active');
  if (queued === undefined) throw new Error('empty fixture');
  const soon = retold(queued.headText, { 'X-Queue': 'position=3, length=4, limit=1, pollMin=0, pollMax=120' });
  const urn = 'urn:sha1:KQZAUQNUANLWOS63GOUWCPL3EMMKPYTG';
  const source = await ScriptedSource.open(t, asked => {
    if (asked.number < 3) return asked.socket.write(soon) || true;
    asked.socket.write(
      `HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-999/1000\r\nContent-Length: 1000\r\n\r\n`,
    );
    return asked.socket.write(content) || true;
  });
  const rig = await DownloadRig.open(t, t.testdir());
  const { id } = await rig.downloads.add({ sha1: sha1(content), size: 1000, name: 'x', sources: [source.source] });
  t.match(await rig.ended(id), { state: 'completed' });
  t.equal(source.connections, 1);
  t.match(soon, urn, 'a refusal names whatever file it likes');
});

t.test('not found as both say it', async t => {
  const replies = [
    ...gtkgReplies('http-404').slice(0, 1),
    ...limewireReplies().filter(({ label }) => label === 'GET unknown URN'),
  ];
  const rig = await DownloadRig.open(t, t.testdir());
  for (const [i, { headText }] of replies.entries()) {
    const source = await ScriptedSource.open(t, ({ socket }) => socket.write(headText) || true);
    const { id } = await rig.downloads.add({ sha1: Buffer.alloc(20, i), size: 5, name: 'x', sources: [source.source] });
    t.match(await rig.ended(id), { state: 'failed', error: /404 Not Found/ });
  }
  await rig.stop();
  t.equal(replies.length, 2);
});
