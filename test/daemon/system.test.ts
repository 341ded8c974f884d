import t from 'tap';
import { SystemClock, SystemRandom } from '../../daemon/system.ts';

t.test('guids are 16 marked bytes, each one fresh', async t => {
  const random = new SystemRandom();
  const guids = Array.from({ length: 100 }, () => random.guid());
  for (const guid of guids) {
    t.equal(guid.length, 16);
    t.equal(guid[8], 0xff);
    t.equal(guid[15], 0);
    t.equal(guid.buffer.byteLength, 16, 'a ping that waits for its pong keeps no more than its GUID');
  }
  t.equal(new Set(guids.map(guid => guid.toString('hex'))).size, 100);
});

t.test('random integers stay below their bound and fill reaches every byte', async t => {
  const random = new SystemRandom();
  const seen = new Set(Array.from({ length: 500 }, () => random.below(3)));
  t.strictSame([...seen].sort(), [0, 1, 2]);
  const bytes = new Uint8Array(64);
  random.fill(bytes);
  t.not(Buffer.from(bytes.subarray(0, 32)).equals(Buffer.alloc(32)), true);
  t.not(Buffer.from(bytes.subarray(32)).equals(Buffer.alloc(32)), true);
});

t.test('one clock never goes back, the other knows the date', async t => {
  const clock = new SystemClock();
  const first = clock.now();
  t.ok(clock.now() >= first);
  t.ok(Math.abs(clock.wallTime() - Date.now()) < 1000);
});
