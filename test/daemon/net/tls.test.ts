import { X509Certificate } from 'node:crypto';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { makeCertificate } from '../../../daemon/net/certificate.ts';
import { Tls } from '../../../daemon/net/tls.ts';
import { closed, readBytes, socketPair } from '../../support/loopback.ts';

const tls = new Tls();

/** A foreign client against us, echoing: the suite that was agreed on, or null. */
async function agree(t: Test, options: ConnectionOptions): Promise<string | null> {
  const { ours, theirs } = await socketPair(t);
  const secure = tls.accept(ours, Buffer.alloc(0));
  secure.on('data', chunk => secure.write(chunk));
  const client: TLSSocket = connectTls({ socket: theirs, rejectUnauthorized: false, ...options });
  t.teardown(() => client.destroy());
  client.on('error', () => {});
  client.write('ping over TLS');
  const echoed = await readBytes(client, 13).catch(() => null);
  if (echoed === null) return null;
  t.equal(echoed.toString(), 'ping over TLS');
  return `${client.getProtocol()} ${client.getCipher().name}`;
}

t.test('the certificate is one that others can read and verify', async t => {
  const { cert } = makeCertificate();
  const read = new X509Certificate(cert);
  t.equal(read.subject, 'CN=servent');
  t.equal(read.verify(read.publicKey), true);
  t.ok(new Date(read.validTo).getTime() > Date.UTC(2045, 0, 1));
});

t.test("meets modern servents with a certificate, old ones with LimeWire's one anonymous suite", async t => {
  t.match(await agree(t, {}), /^TLSv1\.3 /);
  t.match(await agree(t, { maxVersion: 'TLSv1.2' }), /^TLSv1\.2 ECDHE-ECDSA-/);
  const limewire = { ciphers: 'ADH-AES128-SHA:@SECLEVEL=0', minVersion: 'TLSv1', maxVersion: 'TLSv1.2' } as const;
  t.equal(await agree(t, limewire), 'TLSv1.2 ADH-AES128-SHA');
  t.equal(await agree(t, { ...limewire, maxVersion: 'TLSv1' }), 'TLSv1 ADH-AES128-SHA');
  t.equal(await agree(t, { ...limewire, ciphers: 'NULL-SHA256:@SECLEVEL=0' }), null, 'but not without a cipher');
});

t.test('both ends ours, in both directions, with bytes read before and megabytes after', async t => {
  const { ours, theirs } = await socketPair(t);
  const client = tls.connect(theirs);
  const head = await readBytes(ours, 1);
  const server = tls.accept(ours, head);
  const much = Buffer.alloc(2_000_000, 'abc');
  server.write(much);
  client.write(much);
  const [down, up] = await Promise.all([readBytes(client, much.length), readBytes(server, much.length)]);
  t.ok(down.equals(much) && up.equals(much));
  client.end();
  await closed(server);
});

t.test('garbage, silence and a reset end the socket, and nothing is thrown', async t => {
  for (const bytes of ['\x16\x03\x01\x00\x05hello', 'GNUTELLA CONNECT/0.6\r\n\r\n', '\x16\x03\x03\x40\x00']) {
    const { ours, theirs } = await socketPair(t);
    const secure = new Tls(50).accept(ours, Buffer.from(bytes, 'latin1'));
    await Promise.all([closed(secure), closed(theirs)]);
  }
  const { ours, theirs } = await socketPair(t);
  const secure = tls.connect(ours);
  theirs.resetAndDestroy();
  await closed(secure);
});
