import fc from 'fast-check';
import t from 'tap';
import { capabilitiesOf, isGoodUltrapeer, readableText } from '../../../protocol/handshake/capabilities.ts';
import { Headers } from '../../../protocol/handshake/header-block.ts';

const of = (...entries: [string, string][]) => capabilitiesOf(new Headers(entries));

t.test('no headers: a legacy peer that promises nothing', async t => {
  t.strictSame(of(), {
    userAgent: null,
    role: 'legacy',
    version: '0.6',
    guid: null,
    listen: null,
    remoteIp: null,
    queryRouting: 0,
    ultrapeerQueryRouting: false,
    dynamicQuerying: false,
    degree: null,
    maxTtl: null,
    extProbes: false,
    requeries: true,
    pongCaching: false,
    ggep: false,
    vendorMessages: false,
    bye: false,
    deflate: false,
    contentDeflate: false,
    guess: 0,
    tlsUpgrade: false,
    liveSince: null,
    tryUltrapeers: [],
    tryHosts: [],
    ultrapeerNeeded: null,
    crawler: false,
    authChallenge: false,
    gnutella: true,
    locale: null,
  });
  t.equal(capabilitiesOf(new Headers(), '0.4').version, '0.4');
});

t.test('listening address: every servent has its own word for it', async t => {
  t.strictSame(of(['Listen-IP', '5.6.0.1:6346']).listen, { host: '5.6.0.1', port: 6346 });
  t.strictSame(of(['Node', '5.5.1.1:6346']).listen, { host: '5.5.1.1', port: 6346 });
  t.strictSame(of(['X-My-Address', '5.6.0.20:99']).listen, { host: '5.6.0.20', port: 99 });
  t.strictSame(of(['Node-IPv6', '[2001:4860::1]:6346']).listen, { host: '2001:4860::1', port: 6346 });
  t.strictSame(of(['Listen-IP', '1.2.3.4:1, [::1]:2']).listen, { host: '1.2.3.4', port: 1 });
  t.equal(of(['Listen-IP', '1.2.3.4:0']).listen, null);
  t.equal(of(['Listen-IP', 'example.org:6346']).listen, null);
});

t.test('values that make no sense count as absent', async t => {
  const peer = of(
    ['GUID', '0011'],
    ['X-Degree', '-3'],
    ['X-Max-TTL', 'four'],
    ['X-Ultrapeer', 'maybe'],
    ['X-Query-Routing', 'yes'],
    ['X-Live-Since', 'yesterday'],
    ['Remote-IP', '300.1.2.3'],
    ['X-Locale-Pref', '<script>'],
    ['User-Agent', ' \x1b\x07 '],
  );
  t.hasStrict(peer, {
    guid: null,
    degree: null,
    maxTtl: null,
    role: 'legacy',
    queryRouting: 0,
    liveSince: null,
    remoteIp: null,
    locale: null,
    userAgent: null,
  });
  t.equal(of(['X-Degree', '999999999']).degree, 1000);
  t.equal(of(['X-Max-TTL', '999']).maxTtl, 255);
});

t.test('the first of merged duplicates counts', async t => {
  t.equal(of(['X-Ultrapeer', 'False'], ['X-Ultrapeer', 'True']).role, 'leaf');
  t.equal(of(['X-Degree', '20'], ['X-Degree', '30']).degree, 20);
});

t.test('dates: zones, leap days, epochs', async t => {
  for (const text of [
    'Sun, 01 Jun 2025 10:23:29 +0000',
    'Thu, 29 Feb 2024 23:59:59 -0530',
    'Thu, 01 Jan 1970 00:00:00 +0000',
    '1 Mar 2100 00:00:00 GMT',
    'Sun, 31 Dec 2000 12:00:00 +1400',
  ]) {
    t.equal(of(['X-Live-Since', text]).liveSince, Date.parse(text), text);
  }
});

t.test('any date comes out as Date.parse has it', async () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date('2199-12-31'), noInvalidDate: true }), date => {
      const text = date.toUTCString();
      return of(['X-Live-Since', text]).liveSince === Date.parse(text);
    }),
  );
});

t.test('hosts to try: separators, IPv6, dates after a blank, bad ones, at most 32', async t => {
  t.strictSame(
    of(['X-Try-Ultrapeers', '1.2.3.4:5,6.7.8.9:10 2005-01-01T00:00Z, [::1]:7,junk,, 4.4.4.4']).tryUltrapeers,
    [
      { host: '1.2.3.4', port: 5 },
      { host: '6.7.8.9', port: 10 },
      { host: '::1', port: 7 },
      { host: '4.4.4.4', port: 6346 },
    ],
  );
  t.equal(of(['X-Try', '1.2.3.4:5,'.repeat(400)]).tryHosts.length, 32);
});

t.test('G2 and closed networks are told apart from Gnutella', async t => {
  t.equal(of(['Accept', 'application/x-gnutella2']).gnutella, false);
  t.equal(of(['Accept', 'application/x-gnutella2, application/x-gnutella-packets']).gnutella, true);
  t.equal(of(['Accept', '*/*']).gnutella, true);
  t.equal(of(['Content-Type', 'application/x-gnutella2']).gnutella, false);
  t.equal(of(['FP-Auth-Challenge', 'x']).authChallenge, true);
});

t.test('deflate among other encodings', async t => {
  t.equal(of(['Accept-Encoding', 'gzip, Deflate;q=0.5']).deflate, true);
  t.equal(of(['Accept-Encoding', 'deflated']).deflate, false);
  t.equal(of(['Content-Encoding', 'deflate']).contentDeflate, true);
});

t.test("LimeWire's good ultrapeer", async t => {
  const good: [string, string][] = [
    ['X-Degree', '15'],
    ['X-Ultrapeer-Query-Routing', '0.1'],
    ['X-Dynamic-Querying', '0.1'],
  ];
  t.equal(isGoodUltrapeer(of(...good)), true);
  t.equal(isGoodUltrapeer(of(...good, ['X-Max-TTL', '5'])), false);
  t.equal(isGoodUltrapeer(of(...good.slice(1))), false);
  t.equal(isGoodUltrapeer(of(...good.slice(0, 2))), false);
});

t.test('text for people: UTF-8 or Latin-1, nothing that a terminal obeys, 255 characters', async t => {
  t.equal(readableText(Buffer.from('Müller/1.0').toString('latin1')), 'Müller/1.0');
  t.equal(readableText('M\xfcller'), 'Müller');
  t.equal(readableText(Buffer.from('a\x1b[2Jb\x7f\u009b\u202ec').toString('latin1')), 'a[2Jbc');
  t.equal(readableText('x'.repeat(1000)).length, 255);
});

t.test('any headers: no exception, bounded lists', async () => {
  const name = fc.constantFrom(
    ...[
      'User-Agent',
      'X-Ultrapeer',
      'Listen-IP',
      'Node',
      'Remote-IP',
      'X-Query-Routing',
      'X-Degree',
      'X-Max-TTL',
      'GUID',
    ],
    ...[
      'X-Features',
      'X-Live-Since',
      'X-Try-Ultrapeers',
      'X-Try',
      'Accept',
      'Accept-Encoding',
      'X-Locale-Pref',
      'Upgrade',
    ],
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.string({ unit: 'binary', maxLength: 200 }))), entries => {
      const peer = of(...entries);
      return (
        (peer.userAgent?.length ?? 0) <= 255 &&
        peer.tryUltrapeers.length <= 32 &&
        (peer.liveSince === null || Number.isFinite(peer.liveSince))
      );
    }),
  );
});

t.test('a text that is too long is cut between characters', async t => {
  const cut = readableText(Buffer.from(`${'a'.repeat(254)}\u{1f600}`).toString('latin1'));
  t.equal(cut, 'a'.repeat(254));
});
