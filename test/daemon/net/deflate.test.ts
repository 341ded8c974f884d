import { randomBytes } from 'node:crypto';
import { constants, deflateSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { type DeflateShape, DeflateWriter, Floods, InflateReader } from '../../../daemon/net/deflate.ts';
import { eventually } from '../../support/loopback.ts';

const shapes: DeflateShape[] = ['wide', 'narrow'];

function reader(shape: DeflateShape = 'wide') {
  const seen = { bytes: [] as Buffer[], faults: [] as string[], pressure: [] as boolean[], length: 0 };
  const inflate = new InflateReader(shape, {
    onBytes: bytes => {
      seen.bytes.push(bytes);
      seen.length += bytes.length;
    },
    onPressure: high => seen.pressure.push(high),
    onFault: fault => seen.faults.push(fault),
  });
  return { inflate, seen };
}

/** Deflates each turn on its own, one after the other. */
function deflated(shape: DeflateShape, turns: Uint8Array[], floods = new Floods()): Buffer[] {
  const writer = new DeflateWriter(shape, floods);
  return turns.map(turn => writer.write(Buffer.from(turn)));
}

t.test('every turn can be read as soon as it is out, whatever the shape', async () => {
  for (const shape of shapes) {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 3000 }), { minLength: 1, maxLength: 6 }),
        async turns => {
          const { inflate, seen } = reader(shape);
          let expected = 0;
          for (const [n, bytes] of deflated(shape, turns).entries()) {
            inflate.write(bytes);
            expected += turns[n]?.length ?? 0;
            await eventually('the turn was inflated', () => seen.length === expected);
          }
          inflate.destroy();
          return Buffer.concat(seen.bytes).equals(Buffer.concat(turns)) && seen.faults.length === 0;
        },
      ),
      { numRuns: 25 },
    );
  }
});

t.test('one sync flush a turn is all that a plain inflater needs', async t => {
  const [bytes = Buffer.alloc(0)] = deflated('narrow', [Buffer.from('hello hello hello')]);
  t.equal(inflateSync(Buffer.concat([bytes, Buffer.from([3, 0])]), { finishFlush: 2 }).toString(), 'hello hello hello');
  t.ok(bytes.subarray(-4).equals(Buffer.from([0, 0, 0xff, 0xff])), 'it ends like a Z_SYNC_FLUSH');
});

t.test('links that send the same share the work, and each peer still reads its own stream', async () => {
  const floods = new Floods();
  const links = 40;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 5 }),
      fc.nat(links - 1),
      async (turns, odd) => {
        const writers = Array.from({ length: links }, (_, n) => new DeflateWriter(n % 2 ? 'wide' : 'narrow', floods));
        const sent: Buffer[][] = writers.map(() => []);
        const wanted: Uint8Array[][] = writers.map(() => []);
        for (const turn of turns) {
          for (const [n, writer] of writers.entries()) {
            if (n === odd) {
              sent[n]?.push(writer.write(Buffer.from('only here')));
              wanted[n]?.push(Buffer.from('only here'));
            }
            sent[n]?.push(writer.write(Buffer.from(turn)));
            wanted[n]?.push(turn);
          }
        }
        return sent.every((pieces, n) => {
          const read = inflateSync(Buffer.concat(pieces), { finishFlush: constants.Z_SYNC_FLUSH });
          return read.equals(Buffer.concat(wanted[n] ?? []));
        });
      },
    ),
    { numRuns: 30 },
  );
});

t.test('the last bytes sent are referred to; what does not shrink grows by a few bytes at most', async t => {
  const query = randomBytes(400);
  const [first, again] = deflated('narrow', [query, query]);
  t.ok((first?.length ?? 0) <= 2 + 5 + query.length, `${first?.length} bytes for 400 of noise`);
  t.ok((again?.length ?? 400) < 30, `${again?.length} bytes for the same again`);
});

t.test('what is no zlib stream is told once', async t => {
  const { inflate, seen } = reader();
  inflate.write(Buffer.from('this was never deflated'));
  await eventually('it was noticed', () => seen.faults.length > 0);
  t.strictSame(seen.faults, ['bad_deflate']);
  t.equal(seen.length, 0);
  inflate.destroy();
});

t.test('a stream that ends while the link lives is of no more use', async t => {
  const { inflate, seen } = reader();
  inflate.write(Buffer.concat([deflateSync(Buffer.from('last words')), Buffer.from('and more')]));
  await eventually('it was noticed', () => seen.faults.length > 0);
  t.strictSame(seen.faults, ['bad_deflate']);
  t.equal(Buffer.concat(seen.bytes).toString(), 'last words');
  inflate.destroy();
});

t.test('a bomb is cut short long before it is inflated', async t => {
  const bomb = deflateSync(Buffer.alloc(64 << 20), { level: 9 });
  t.ok(bomb.length < 70_000, `${bomb.length} bytes that hold 64 MiB`);
  const { inflate, seen } = reader();
  inflate.write(bomb);
  await eventually('it was noticed', () => seen.faults.length > 0);
  t.strictSame(seen.faults, ['inflate_bomb']);
  t.ok(seen.length <= 1 << 20, `${seen.length} bytes came out`);
  inflate.destroy();
});

t.test('slow bombs run out of credit as well, honest traffic never does', async t => {
  const piece = async (turns: Uint8Array[]) => {
    const { inflate, seen } = reader();
    let total = 0;
    for (const [n, bytes] of deflated('wide', turns).entries()) {
      total += turns[n]?.length ?? 0;
      inflate.write(bytes);
      await eventually('it was inflated or refused', () => seen.length >= total || seen.faults.length > 0);
      if (seen.faults.length > 0) break;
    }
    inflate.destroy();
    return seen.faults;
  };
  t.strictSame(await piece(Array.from({ length: 40 }, () => Buffer.alloc(60_000))), ['inflate_bomb']);
  const text = Array.from({ length: 40 }, (_, n) => Buffer.from(`a query for song number ${n}\0`.repeat(10)));
  t.strictSame(await piece(text), []);
});

t.test('a reader that is given more than it can take says so, and when it is over', async t => {
  const { inflate, seen } = reader();
  let state = 1;
  const noise = Buffer.alloc(200_000);
  for (let at = 0; at < noise.length; at++) noise[at] = state = (state * 48_271) % 0x7fffffff;
  const [stream = noise] = deflated('wide', [noise]);
  for (let at = 0; at < stream.length; at += 8192) inflate.write(stream.subarray(at, at + 8192));
  await eventually('all of it was read', () => seen.length === 200_000);
  await eventually('the pressure went', () => seen.pressure.at(-1) === false);
  t.strictSame(seen.pressure, [true, false]);
  inflate.destroy();
});
