// Whole daemons of which neither side can be connected to: an ultrapeer that volunteered passes the bytes on.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { encodeRelayAsk } from '../../protocol/relay/relay-line.ts';
import { formatSha1Urn } from '../../protocol/wire/urn.ts';
import { fetched, found } from '../support/found-download.ts';
import { closed, eventually } from '../support/loopback.ts';
import { hashed, type RunningServent, startServent, until } from '../support/running-servent.ts';

const sha1Of = (text: string) => createHash('sha1').update(text).digest();

t.test('a file of a firewalled leaf comes to a firewalled servent over the relay of its ultrapeer', async t => {
  const dataDir = t.testdir({});
  const hub = await startServent(t, join(dataDir, 'hub'), { 'nat.relay': true, 'gnutella.reachable': 'yes' });
  const folder = join(dataDir, 'files');
  const content = 'between two walls '.repeat(20_000);
  await mkdir(folder);
  await writeFile(join(folder, 'double walled.txt'), content);
  const other = 'nobody asked for this '.repeat(2_000);
  await writeFile(join(folder, 'other.txt'), other);
  // without UDP there is no stream by UDP either
  const leaf = {
    'gnutella.mode': 'leaf',
    'gnutella.connect': [hub.address],
    'gnutella.reachable': 'no',
    'gnutella.udp': false,
  } as const;
  // the seeker cannot connect to the address of the other one: its own block list stands in for a firewall
  const walled = await startServent(t, join(dataDir, 'walled'), {
    ...leaf,
    'gnutella.host': '127.0.0.3',
    'library.folders': [folder],
  });
  const seeker = await startServent(t, join(dataDir, 'seeker'), { ...leaf, 'gnutella.block': ['127.0.0.3'] });
  await hashed(walled.client, 2);
  await until('both are linked', async () => ((await hub.client.status()).peers.leaves === 2 ? true : null));
  const file = await found(seeker, 'double walled');
  const done = await fetched(seeker, file);
  t.equal(await readFile(done.path ?? '', 'utf8'), content);
  t.equal(done.sources[0]?.way, 'relay');
  t.match(await metricsOf(hub), /gnutella_relay_requests_total\{result="paired"\} 1/);
  const { relay } = await hub.client.nat();
  t.equal(relay?.able, true);
  t.ok((relay?.bytes ?? 0) > content.length);
  t.equal((await walled.client.nat()).relay, null, 'nat.relay is off');

  // somebody who asks the relay for one file, and the leaf for another
  const ask = {
    asker: randomBytes(16),
    server: Buffer.from(file.result.sources[0]?.servent ?? '', 'hex'),
    sha1: sha1Of(content),
  };
  const stranger = await comeTo(t, hub, '127.0.0.5');
  stranger.socket.write(encodeRelayAsk(ask));
  await eventually('the leaf has come', () => /^GIV .*\n\n/.test(stranger.heard()));
  stranger.socket.write(`HEAD /uri-res/N2R?${formatSha1Urn(ask.sha1)} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await eventually('the file of the pair is served', () => /HTTP\/1.1 200 /.test(stranger.heard()));
  stranger.socket.write(`GET /uri-res/N2R?${formatSha1Urn(sha1Of(other))} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await closed(stranger.socket);
  t.match(stranger.heard(), /HTTP\/1.1 404 /);
  t.notMatch(stranger.heard(), /nobody asked/);
  t.match(await metricsOf(walled), /gnutella_upload_requests_total\{outcome="other_file"\} 1/);

  // a file that the leaf does not share: it does not come
  const seeks = await comeTo(t, hub, '127.0.0.6');
  seeks.socket.write(encodeRelayAsk({ ...ask, sha1: randomBytes(20) }));
  await until('the leaf has counted it', async () =>
    /gnutella_relay_calls_total\{result="not_shared"\} 1/.test(await metricsOf(walled)) ? true : null,
  );
  t.equal(seeks.heard(), '');
  t.match(await metricsOf(walled), /gnutella_relay_calls_total\{result="came"\} 2/);
});

async function metricsOf({ api, token }: RunningServent): Promise<string> {
  const answer = await fetch(`${api}/metrics`, { headers: { Authorization: `Bearer ${token}` } });
  return answer.text();
}

/** A connection to the Gnutella port from this address of ours. */
async function comeTo(t: Test, { gnutella }: RunningServent, localAddress: string) {
  const socket = connect({ ...gnutella, localAddress });
  t.teardown(() => socket.destroy());
  let heard = '';
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1');
  });
  await new Promise<void>((connected, failed) => {
    socket.once('connect', connected);
    socket.once('error', failed);
  });
  return { socket, heard: () => heard };
}
