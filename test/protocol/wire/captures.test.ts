// The captures themselves: what the streams are cut into is what the capture scripts wrote down.
import t from 'tap';
import { Type } from '../../../protocol/constants.ts';
import { captureFiles, readCapture } from '../../support/captures.ts';
import { readFixture } from '../../support/fixtures.ts';

const kinds: Record<string, number> = {
  ping: Type.Ping,
  pong: Type.Pong,
  bye: Type.Bye,
  qrp: Type.Qrp,
  vmsg: Type.Vendor,
  push: Type.Push,
  query: Type.Query,
  hit: Type.QueryHit,
};

interface Declared {
  messages?: Record<'servent' | 'peer', { offset: number; kind: string; ttl: number; hops: number; size: number }[]>;
  unparsed_tail?: { peer: number };
}

t.test('streams of gtk-gnutella are cut into the messages that were noted', async t => {
  let checked = 0;
  for (const file of captureFiles().filter(name => name.startsWith('gtk-gnutella/'))) {
    const declared = readFixture<Declared>(file);
    if (declared.messages === undefined) continue;
    const { descriptors } = readCapture(file);
    for (const from of ['servent', 'peer'] as const) {
      const cut = descriptors.filter(descriptor => descriptor.from === from && descriptor.over === 'tcp');
      const noted = declared.messages[from];
      if (declared.unparsed_tail !== undefined && from === 'peer') noted.pop(); // a header that lies about its length
      t.equal(cut.length, noted.length, `${file} ${from}`);
      let offset = 0;
      for (const [i, { bytes }] of cut.entries()) {
        const message = noted[i];
        t.strictSame(
          [offset, bytes[16], bytes[17], bytes[18], bytes.readUInt32LE(19)],
          [message?.offset, kinds[message?.kind ?? ''], message?.ttl, message?.hops, message?.size],
          `${file} ${from} ${i}`,
        );
        offset += bytes.length;
        checked++;
      }
    }
  }
  t.equal(checked, 210);
});

t.test('every conversation over Gnutella yields descriptors', async t => {
  const counts: Record<string, number> = {};
  for (const file of captureFiles()) {
    const { servent, descriptors } = readCapture(file);
    counts[servent] = (counts[servent] ?? 0) + descriptors.length;
  }
  t.strictSame(counts, { 'gtk-gnutella': 239, limewire: 153, mldonkey: 10, 'gnutella-bun': 37 });
});
