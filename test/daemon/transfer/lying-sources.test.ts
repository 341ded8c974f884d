import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { requestOfFound } from '../../../daemon/transfer/found-request.ts';
import type { Source } from '../../../protocol/transfer/downloads/source.ts';
import { DownloadRig, dialPlain, sha1 } from '../../support/download-rig.ts';
import { eventually } from '../../support/loopback.ts';
import { honest, partial, rangeOf, ScriptedSource } from '../../support/scripted-source.ts';
import { testBytes } from '../../support/shared-files.ts';

const MIB = 1 << 20;

t.test('wrong bytes are thrown away and fetched from elsewhere', async t => {
  const content = testBytes(2 * MIB);
  const liar = await ScriptedSource.open(t, honest(testBytes(2 * MIB, 66)));
  const charged: string[] = [];
  let isCharged: () => void = () => undefined;
  const liarCharged = new Promise<void>(resolve => {
    isCharged = resolve;
  });
  const onCharge = ({ endpoint }: Source, isGuilty: boolean): void => {
    charged.push(`${isGuilty} ${endpoint.port}`);
    isCharged();
  };
  const good = await ScriptedSource.open(t, honest(content));
  const rig = await DownloadRig.open(t, t.testdir(), {
    onCharge,
    dial: async (endpoint, signal) => {
      // until then it brings nothing: all bytes of the first try are the liar's
      if (endpoint.port === good.source.endpoint.port) await liarCharged;
      return dialPlain(endpoint, signal);
    },
  });
  const { id } = await rig.downloads.add({
    sha1: sha1(content),
    size: content.length,
    name: 'x',
    sources: [liar.source, good.source],
  });
  const retrying = await rig.until(id, ({ error }) => error !== null);
  t.match(retrying, { error: /wrong hash.*fetched again/ });
  const view = await rig.ended(id);
  t.match(view, { state: 'completed', error: null, sources: [{ state: 'dropped' }, { state: 'idle' }] });
  t.ok(readFileSync(view.path ?? '').equals(content));
  t.strictSame(charged, [`true ${liar.source.endpoint.port}`], 'the liar alone is charged, once');
});

t.test('a size that a liar told is forgotten with its bytes', async t => {
  const content = testBytes(5000);
  const liar = await ScriptedSource.open(t, honest(testBytes(30, 66)));
  const good = await ScriptedSource.open(t, honest(content));
  const rig = await DownloadRig.open(t, t.testdir());
  const { id } = await rig.downloads.add({
    sha1: sha1(content),
    size: null,
    name: 'x',
    sources: [liar.source, good.source],
  });
  t.match(await rig.ended(id), { state: 'completed', size: 5000 });
});

t.test('a body that goes on and on, of a file whose size nobody told, ends at half of the room', async t => {
  let sent = 0;
  const endless = await ScriptedSource.open(t, async ({ socket }) => {
    socket.write('HTTP/1.0 200 OK\r\n\r\n');
    while (!socket.destroyed && sent < 10_000_000) {
      sent += 65_536;
      if (!socket.write(Buffer.alloc(65_536))) {
        const goesOn = new Promise(resolve => socket.once('drain', resolve).once('close', resolve));
        await goesOn;
      }
    }
    return false;
  });
  const rig = await DownloadRig.open(t, t.testdir(), { room: async () => 1_000_000 });
  const { id } = await rig.downloads.add({ sha1: null, size: null, name: 'x', sources: [endless.source] });
  t.match(await rig.ended(id), { state: 'failed', error: /does not say how much/ });
  t.ok(sent < 10_000_000, `cut after ${sent} bytes`);
});

t.test('a size that only the source tells, and that no disk here could take, is not believed', async t => {
  const boaster = await ScriptedSource.open(t, ({ socket }) => {
    socket.write('HTTP/1.1 206 OK\r\nContent-Range: bytes 0-9/9000000000000\r\n\r\n0123456789');
    return true;
  });
  const rig = await DownloadRig.open(t, t.testdir(), { room: async () => 1_000_000 });
  const { id } = await rig.downloads.add({ sha1: null, size: null, name: 'x', sources: [boaster.source] });
  t.match(await rig.ended(id), { state: 'failed', size: null, error: /room for 1000000/ });
});

t.test('when all lie the download fails and nothing appears', async t => {
  const content = testBytes(5000);
  const liars = await Promise.all([1, 2, 3].map(seed => ScriptedSource.open(t, honest(testBytes(5000, 60 + seed)))));
  const rig = await DownloadRig.open(t, t.testdir());
  const { id } = await rig.downloads.add({
    sha1: sha1(content),
    size: 5000,
    name: 'x',
    sources: liars.map(({ source }) => source),
  });
  t.match(await rig.ended(id), { state: 'failed', done: 0, error: /wrong hash.*3 times/ });
  t.strictSame(readdirSync(rig.folder), ['.incomplete']);
});

t.test('who contradicted the size that a liar told is asked again when the lie is out', async t => {
  const content = testBytes(5000);
  const lie = testBytes(MIB, 66);
  let isContradicted: () => void = () => undefined;
  const contradicted = new Promise<void>(resolve => {
    isContradicted = resolve;
  });
  const liar = await ScriptedSource.open(t, async asked => {
    const answer = partial(lie, rangeOf(asked, lie.length));
    asked.socket.write(answer.subarray(0, 1000));
    await contradicted;
    return asked.socket.write(answer.subarray(1000)) || true;
  });
  const good = await ScriptedSource.open(t, asked => {
    if (!(asked.head.headers.get('Range') ?? '').startsWith('bytes=0-')) {
      asked.socket.write('HTTP/1.1 416 No\r\nContent-Range: bytes */5000\r\nContent-Length: 0\r\n\r\n');
      return true;
    }
    return asked.socket.write(partial(content, { start: 0, end: 5000 })) || true;
  });
  const rig = await DownloadRig.open(t, t.testdir());
  const sources = [liar.source, good.source];
  const { id } = await rig.downloads.add({ sha1: sha1(content), size: null, name: 'x', sources });
  await rig.until(id, ({ sources: [, other] }) => other?.state === 'dropped');
  isContradicted();
  t.match(await rig.ended(id), { state: 'completed', size: 5000, error: null });
});

t.test('a larger size that a liar told first, and a wrong one of a hit, do not keep the file from coming', async t => {
  const content = testBytes(5000);
  const lie = testBytes(9000, 66);
  const liar = await ScriptedSource.open(t, asked => {
    if (asked.number === 0) asked.socket.write(partial(lie, { start: 0, end: 9000 }).subarray(0, 3000));
    return false;
  });
  const good = await ScriptedSource.open(t, honest(content));
  const rig = await DownloadRig.open(t, t.testdir(), {
    dial: async (endpoint, signal) => {
      if (endpoint.port === good.source.endpoint.port)
        await eventually('the liar is first', () => liar.requests.length > 0);
      return dialPlain(endpoint, signal);
    },
  });
  const sources = [liar.source, good.source];
  const found = {
    id: '1',
    name: 'x',
    size: 777,
    sha1: sha1(content),
    folder: null,
    foundAt: 0,
    seconds: null,
    kbps: null,
  };
  const request = { ...requestOfFound({ ...found, sources: [] }), sources };
  const { id, size } = await rig.downloads.add(request);
  t.equal(size, 777, 'the size of a hit is shown');
  const view = await rig.ended(id);
  t.match(view, { state: 'completed', size: 5000, error: null });
  t.ok(readFileSync(view.path ?? '').equals(content));
  t.match(view.sources, [{ error: 'has another file: 9000 bytes, not 5000' }, { error: null }]);
});
