// Every captured handshake of every servent, played against ours in both directions.
import t, { type Test } from 'tap';
import { parseEndpointList } from '../../../protocol/wire/endpoint.ts';
import { type CapturedHandshake, readCapturedHandshakes } from '../../support/captured-handshakes.ts';
import { cut, feedAll, type HandshakeTweaks, newHandshake, outcomeOf } from '../../support/handshake-pair.ts';

const captured = readCapturedHandshakes();
const chunkings: number[][] = [[], [1], [2, 7, 1, 40], [13], [500]];

/** Read without our parser: the last value of a header in these blocks, null if none. */
function header(name: string, ...blocks: Buffer[]): string | null {
  let value: string | null = null;
  for (const block of blocks) {
    const text = block.toString('latin1').replace(/\r\n[ \t]+/g, ' ');
    value = new RegExp(`\r\n${name}: *(.*)\r\n`).exec(text)?.[1] ?? value;
  }
  return value;
}

function statusOf(block: Buffer): [code: number, text: string] {
  const match = /^GNUTELLA\/0\.6 (\d+) (.*)\r\n/.exec(block.toString('latin1'));
  return [Number(match?.[1] ?? 0), match?.[2] ?? ''];
}

t.test('the captures are there', async t => {
  t.equal(captured.length, 53);
  t.equal(captured.filter(({ connector }) => connector === 'servent').length, 9);
});

function capabilitiesMatch(t: Test, wanted: CapturedHandshake, got: object, ...blocks: Buffer[]): void {
  const flag = (value: string | null) => (value === null ? null : value.toLowerCase() === 'true');
  const number = (value: string | null) => (value === null ? null : Number(value));
  const ultrapeer = flag(header('X-Ultrapeer', ...blocks));
  const listen = header('Listen-IP', ...blocks) ?? header('Node', ...blocks);
  const expected = {
    userAgent: header('User-Agent', ...blocks),
    role: ultrapeer === null ? 'legacy' : ultrapeer ? 'ultrapeer' : 'leaf',
    version: '0.6',
    listen: listen === null ? null : parseEndpointList(listen)[0],
    remoteIp: header('Remote-IP', ...blocks),
    queryRouting: number(header('X-Query-Routing', ...blocks)) ?? 0,
    ultrapeerQueryRouting: header('X-Ultrapeer-Query-Routing', ...blocks) !== null,
    dynamicQuerying: header('X-Dynamic-Querying', ...blocks) !== null,
    degree: number(header('X-Degree', ...blocks)),
    maxTtl: number(header('X-Max-TTL', ...blocks)),
    extProbes: header('X-Ext-Probes', ...blocks) !== null,
    requeries: flag(header('X-Requeries', ...blocks)) !== false,
    pongCaching: header('Pong-Caching', ...blocks) !== null,
    ggep: header('GGEP', ...blocks) !== null,
    vendorMessages: header('Vendor-Message', ...blocks) !== null,
    bye: header('Bye-Packet', ...blocks) !== null,
    deflate: header('Accept-Encoding', ...blocks) !== null,
    guess: number(header('X-Guess', ...blocks)) ?? 0,
    tlsUpgrade: header('Upgrade', ...blocks) === 'TLS/1.0',
    ultrapeerNeeded: flag(header('X-Ultrapeer-Needed', ...blocks)),
    liveSince: number(dateOf(header('X-Live-Since', ...blocks))),
  };
  t.hasStrict(got, expected, `${wanted.name}: capabilities`);
}

function dateOf(text: string | null): string | null {
  return text === null ? null : String(Date.parse(text));
}

t.test('as acceptor we take what every connector sent, however it is cut', async t => {
  for (const capture of captured) {
    for (const lengths of chunkings) {
      const tweaks: HandshakeTweaks = { context: { acceptLegacy: true } };
      const handshake = newHandshake('in', tweaks);
      feedAll(handshake, cut(capture.hello, lengths));
      const [code] = statusOf(handshake.take());
      if (header('Crawler', capture.hello) !== null) {
        t.equal(code, 200, capture.name);
        t.equal(outcomeOf(handshake), null);
        feedAll(handshake, cut(Buffer.from('GNUTELLA/0.6 200 OK\r\n\r\n'), lengths));
        t.equal(outcomeOf(handshake)?.kind, 'crawled');
        continue;
      }
      if (outcomeOf(handshake) !== null) {
        t.match(capture.name, /reject-(accept-g2|auth-challenge)/);
        t.match(outcomeOf(handshake), { kind: 'refused', by: 'us', code: statusOf(capture.answer)[0] });
        continue;
      }
      t.equal(code, 200, capture.name);
      if (capture.acknowledgement.length === 0) continue;
      const after = feedAll(handshake, cut(Buffer.concat([capture.acknowledgement, capture.connectorRest]), lengths));
      const outcome = outcomeOf(handshake);
      const [ackCode, ackText] = statusOf(capture.acknowledgement);
      if (ackCode !== 200) {
        t.match(outcome, { kind: 'refused', by: 'peer', reason: 'peer-status', code: ackCode, text: ackText });
        continue;
      }
      if (outcome?.kind !== 'accepted') {
        t.fail(`${capture.name}: not accepted`);
        continue;
      }
      t.equal(outcome.deflateIn, header('Content-Encoding', capture.acknowledgement) === 'deflate', capture.name);
      t.equal(outcome.deflateOut, header('Accept-Encoding', capture.hello) === 'deflate', capture.name);
      t.equal(outcome.peerRole, outcome.capabilities.role);
      t.equal(outcome.ourRole, 'ultrapeer');
      t.ok(after.equals(capture.connectorRest), `${capture.name}: bytes after the handshake`);
      capabilitiesMatch(t, capture, outcome.capabilities, capture.hello, capture.acknowledgement);
    }
  }
});

t.test('as connector we understand what every acceptor answered, however it is cut', async t => {
  for (const capture of captured) {
    if (capture.answer.length === 0) continue;
    for (const role of ['ultrapeer', 'leaf'] as const) {
      for (const lengths of chunkings) {
        const handshake = newHandshake('out', { local: { role }, context: { acceptLegacy: true } });
        t.match(handshake.take().toString('latin1'), /^GNUTELLA CONNECT\/0\.6\r\n/);
        const after = feedAll(handshake, cut(Buffer.concat([capture.answer, capture.acceptorRest]), lengths));
        const [code, text] = statusOf(capture.answer);
        const outcome = outcomeOf(handshake);
        if (code !== 200) {
          const tries = parseEndpointList(header('X-Try-Ultrapeers', capture.answer) ?? '');
          t.match(outcome, { kind: 'refused', by: 'peer', reason: 'peer-status', code, text, tryUltrapeers: tries });
          t.equal(handshake.take().length, 0);
          continue;
        }
        if (role === 'leaf' && header('X-Ultrapeer', capture.answer) === 'False') {
          t.match(outcome, { kind: 'refused', by: 'us', reason: 'admission', code: 503 });
          t.match(handshake.take().toString('latin1'), /^GNUTELLA\/0\.6 503 \S/);
          continue;
        }
        if (outcome?.kind !== 'accepted') {
          t.fail(`${capture.name}: not accepted`);
          continue;
        }
        const acknowledgement = handshake.take();
        const offered = header('Accept-Encoding', capture.answer) === 'deflate';
        t.equal(statusOf(acknowledgement)[0], 200);
        t.equal(header('Content-Encoding', acknowledgement), offered ? 'deflate' : null);
        t.equal(outcome.deflateOut, offered, capture.name);
        t.equal(outcome.deflateIn, header('Content-Encoding', capture.answer) === 'deflate', capture.name);
        t.equal(outcome.ourRole, role);
        t.ok(after.equals(capture.acceptorRest), `${capture.name}: bytes after the handshake`);
        capabilitiesMatch(t, capture, outcome.capabilities, capture.answer);
      }
    }
  }
});

t.test('where gtk-gnutella refused, we refuse with the same code in the same situation', async t => {
  const situations: Record<string, HandshakeTweaks> = {
    'crawler-too-often': { options: { crawl: () => null } },
    'reject-accept-g2': {},
    'reject-auth-challenge': {},
    'reject-duplicate': { context: { addressConnected: true } },
    'reject-leaf-to-leaf': { local: { role: 'leaf' } },
    'reject-no-x-ultrapeer': {},
    'reject-too-many-leaves': { context: { leaves: { used: 25, max: 25 } } },
    'reject-up-low-degree-to-leaf': { local: { role: 'leaf' }, context: { demandDynamicQuerying: true } },
  };
  for (const [name, tweaks] of Object.entries(situations)) {
    const capture = captured.find(candidate => candidate.name === `gtk-gnutella/${name}.json`);
    if (capture === undefined) {
      t.fail(`no capture ${name}`);
      continue;
    }
    const [code] = statusOf(capture.answer);
    const withHosts = {
      ...tweaks,
      options: { tryUltrapeers: () => [{ host: '5.5.6.15', port: 6015 }], ...tweaks.options },
    };
    const handshake = newHandshake('in', withHosts);
    handshake.feed(capture.hello);
    t.match(outcomeOf(handshake), { kind: 'refused', by: 'us', reason: 'admission', code }, name);
    const ours = handshake.take();
    t.equal(statusOf(ours)[0], code, name);
    const hosts = [204, 409, 503].includes(code) ? '5.5.6.15:6015' : null;
    t.equal(header('X-Try-Ultrapeers', ours), hosts, name);
  }
});
