// What hosts say to a crawler, good and bad.
import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../protocol/constants.ts';
import {
  crawlerHello,
  crawlerPing,
  hostsPing,
  joined,
  readDatagram,
  readHandshakeAnswer,
} from '../../../protocol/crawl/host-answer.ts';
import { HeaderReader } from '../../../protocol/handshake/header-block.ts';
import { encodeDescriptor } from '../../../protocol/wire/header.ts';
import { encodePong, PLAIN_PONG } from '../../../protocol/wire/pong.ts';
import { encodeCrawlerPong } from '../../../protocol/wire/vendor/crawler.ts';
import { readCapturedHandshakes } from '../../support/captured-handshakes.ts';

const NOW = 1_700_000_000_000;

function reply(text: string) {
  const reader = new HeaderReader();
  reader.push(Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1'));
  return readHandshakeAnswer(reader.block, NOW);
}

t.test('the answers of gtk-gnutella and of LimeWire', async t => {
  t.match(
    reply(
      'GNUTELLA/0.6 200 OK\nUser-Agent: gtk-gnutella/1.2\nX-Ultrapeer: True\nPeers: 1.2.3.4:5,6.7.8.9:10\nLeaves: 11.12.13.14:15\nX-Live-Since: Tue, 14 Nov 2023 22:12:20 +0000\n\n',
    ),
    {
      kind: 'answered',
      answer: {
        role: 'ultrapeer',
        userAgent: 'gtk-gnutella/1.2',
        uptime: 60,
        ultrapeers: [
          { host: '1.2.3.4', port: 5 },
          { host: '6.7.8.9', port: 10 },
        ],
        leaves: [{ host: '11.12.13.14', port: 15 }],
      },
    },
  );
  t.match(reply('GNUTELLA/0.6 593 Hi\nUser-Agent: LimeWire/4.18\nX-Ultrapeer: true\nPeers: \nLeaves: 1.2.3.4:5\n\n'), {
    kind: 'answered',
    answer: { ultrapeers: [], leaves: [{ host: '1.2.3.4', port: 5 }] },
  });
});

t.test('what gtk-gnutella has said to a crawler, as it was captured', async t => {
  const heard = (name: string) => {
    const { answer } = readCapturedHandshakes().find(one => one.name.startsWith(`gtk-gnutella/${name}.json`)) ?? {};
    return reply((answer ?? Buffer.alloc(0)).toString('latin1').replaceAll('\r\n', '\n'));
  };
  t.match(heard('crawler'), {
    kind: 'answered',
    answer: {
      ...{ role: 'ultrapeer', userAgent: /^gtk-gnutella\/1\.2\.3/ },
      ultrapeers: [{ host: '5.5.2.11', port: 6346 }],
      leaves: [{ host: '5.5.2.12', port: 6346 }],
    },
  });
  t.match(heard('crawler-too-often'), {
    ...{ kind: 'refused', isFinal: true, optsOut: false },
    why: 'status 403 (Too frequent crawling) without a list of neighbours',
  });
});

t.test('refusals, and what is no answer', async t => {
  t.match(reply('GNUTELLA/0.6 403 Too frequent crawling\n\n'), { kind: 'refused', isFinal: true, optsOut: false });
  t.match(reply('GNUTELLA/0.6 503 Full\nX-Try-Ultrapeers: 1.2.3.4:5\n\n'), {
    ...{ kind: 'refused', isFinal: true },
    others: [{ host: '1.2.3.4', port: 5 }],
  });
  t.match(reply('GNUTELLA/0.6 200 OK\nCrawler: no\nPeers: 1.2.3.4:5\n\n'), { kind: 'refused', optsOut: true });
  t.match(reply('GNUTELLA/0.6 200 OK\nX-Ultrapeer: True\n\n'), { kind: 'refused', isFinal: false });
  t.match(reply('GNUTELLA/0.6 403\nUser-Agent: x\n\n'), { why: 'status 403 without a list of neighbours' });
  t.match(reply('HTTP/1.1 200 OK\n\n'), { kind: 'unreadable' });
  t.match(
    crawlerHello('me/1').toString(),
    /^GNUTELLA CONNECT\/0\.6\r\nUser-Agent: me\/1\r\n(.*\r\n)*Crawler: 0\.1\r\n/,
  );
});

const GUID = Buffer.alloc(16, 7);
const PONG = {
  ...PLAIN_PONG,
  ...{ endpoint: { host: '1.2.3.4', port: 5 }, files: 1, kibibytes: 8, ultrapeer: true, vendor: 'SRVT' },
  hosts: [{ host: '9.9.9.9', port: 9 }],
};
const NEIGHBOUR = {
  endpoint: { host: '1.2.3.4', port: 5 },
  connectedMinutes: 0,
  locale: 'en',
  replies: 0,
  userAgent: '',
};

t.test('crawler pongs and pongs by UDP', async t => {
  const told = { flags: 0x10, uptimeSeconds: 77, dhtStatus: 0, userAgent: '' };
  const list = readDatagram(
    encodeDescriptor(
      GUID,
      Type.Vendor,
      1,
      0,
      encodeCrawlerPong({ ultrapeers: [NEIGHBOUR], leaves: [NEIGHBOUR], ...told }),
    ),
  );
  t.match(list, { guid: GUID.toString('hex'), isList: true, answer: { role: 'ultrapeer', uptime: 77 } });
  const pong = readDatagram(encodeDescriptor(GUID, Type.Pong, 1, 0, encodePong(PONG)));
  t.match(pong, { isList: false, answer: { others: [{ host: '9.9.9.9', port: 9 }], userAgent: 'SRVT' } });
  if (list === null || pong === null) return;
  t.match(joined(list.answer, pong.answer), {
    ...{ userAgent: 'SRVT', uptime: 77, others: [{ port: 9 }] },
    ultrapeers: [{ host: '1.2.3.4', port: 5 }],
  });
  t.equal(joined(list.answer, null), list.answer);
  t.equal(readDatagram(crawlerPing(GUID)), null, 'a question is no answer');
  t.equal(readDatagram(hostsPing(GUID)), null);
});

t.test('no bytes make it throw', async t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(0x01, 0x31, 0x80), (payload, type) => {
      readDatagram(encodeDescriptor(GUID, type, 1, 0, payload));
      readDatagram(Buffer.from(payload));
      readDatagram(encodeDescriptor(GUID, 0x31, 1, 0, Buffer.concat([Buffer.from('LIME\x06\0\x01\0'), payload])));
    }),
    { numRuns: 300, seed: 41 },
  );
  fc.assert(
    fc.property(fc.string(), fc.string(), (line, value) => {
      const clean = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');
      reply(`GNUTELLA/0.6 ${clean(line)}\nPeers: ${clean(value)}\nCrawler: ${clean(value)}\n\n`);
    }),
    { numRuns: 300, seed: 42 },
  );
  t.pass('each was read or left');
});
