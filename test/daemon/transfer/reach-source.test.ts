import { Socket } from 'node:net';
import t from 'tap';
import { reachSource, type SourceDial } from '../../../daemon/transfer/reach-source.ts';
import { PLAIN_SOURCE, type Source } from '../../../protocol/transfer/downloads/source.ts';

const open: Source = { ...PLAIN_SOURCE, endpoint: { host: '192.0.2.1', port: 6346 }, serventGuid: Buffer.alloc(16, 1) };
const { signal } = new AbortController();

t.test('a source is reached by whichever way there is, and dialled where there is none', async t => {
  const dialled: string[] = [];
  const dial: SourceDial = async ({ host }) => {
    dialled.push(host);
    return new Socket();
  };
  t.match(await reachSource({ ...open, push: true }, { dial }, signal), { way: 'direct' });
  t.strictSame(dialled, ['192.0.2.1']);
  const reach = async (source: Source, by: SourceDial) => ({
    socket: await by(source.endpoint, signal),
    way: 'proxy' as const,
  });
  t.match(await reachSource(open, { dial, reach }, signal), { way: 'proxy' });
  t.equal(dialled.length, 2, 'the way is given the dial');
});
