import t from 'tap';
import { TOKEN_BYTES, TOKEN_ROTATE_MS, Tokens } from '../../../protocol/dht/tokens.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';

const asker = { host: '11.1.1.1', port: 6346 };

t.test('a token is good for its address and port, and for no others', async t => {
  const tokens = new Tokens(new SeededRandom(1), 0);
  const token = tokens.tokenOf(asker, false, 0);
  t.equal(token.length, TOKEN_BYTES);
  t.ok(tokens.holds(asker, false, token, 1));
  t.notOk(tokens.holds({ ...asker, host: '11.1.1.2' }, false, token, 1), 'borrowed');
  t.notOk(tokens.holds({ ...asker, port: 6347 }, false, token, 1));
  t.notOk(tokens.holds(asker, false, Buffer.alloc(TOKEN_BYTES), 1));
  t.notOk(tokens.holds(asker, false, Buffer.alloc(0), 1));
  t.notOk(tokens.holds(asker, false, Buffer.concat([token, token]), 1));
  t.notOk(new Tokens(new SeededRandom(2), 0).holds(asker, false, token, 1), 'of another node');
});

t.test('the port of a firewalled node may change', async t => {
  const tokens = new Tokens(new SeededRandom(1), 0);
  const token = tokens.tokenOf(asker, true, 0);
  t.ok(tokens.holds({ ...asker, port: 40_000 }, true, token, 1));
  t.notOk(tokens.holds({ ...asker, host: '11.1.1.2' }, true, token, 1));
});

t.test('a token is good for three hours at least, for six at most', async t => {
  const tokens = new Tokens(new SeededRandom(1), 0);
  const token = tokens.tokenOf(asker, false, TOKEN_ROTATE_MS - 1);
  t.ok(tokens.holds(asker, false, token, 2 * TOKEN_ROTATE_MS - 2), 'with the secret before');
  t.notOk(tokens.holds(asker, false, token, 3 * TOKEN_ROTATE_MS), 'old');
});

t.test('after a long silence no old secret is left', async t => {
  const tokens = new Tokens(new SeededRandom(1), 0);
  const token = tokens.tokenOf(asker, false, 0);
  t.notOk(tokens.holds(asker, false, token, 2 * TOKEN_ROTATE_MS));
});

t.test('tokens outlive a restart, but not their time', async t => {
  const before = new Tokens(new SeededRandom(1), 0);
  const old = before.tokenOf(asker, false, 0);
  const token = before.tokenOf(asker, false, TOKEN_ROTATE_MS);
  const kept = before.secrets(TOKEN_ROTATE_MS);
  const again = (now: number, secrets = kept): Tokens => new Tokens(new SeededRandom(2), now, secrets);
  t.ok(again(TOKEN_ROTATE_MS + 1).holds(asker, false, token, TOKEN_ROTATE_MS + 1));
  t.ok(again(TOKEN_ROTATE_MS + 1).holds(asker, false, old, TOKEN_ROTATE_MS + 1), 'of the secret before');
  const late = 2 * TOKEN_ROTATE_MS;
  t.ok(again(late).holds(asker, false, token, late));
  t.notOk(again(late).holds(asker, false, old, late));
  t.notOk(again(3 * TOKEN_ROTATE_MS).holds(asker, false, token, 3 * TOKEN_ROTATE_MS), 'after a long pause none');
  t.notOk(again(0).holds(asker, false, token, 0), 'nor of a time to come');
  const short = { ...kept, secret: Buffer.alloc(4), previous: null };
  t.notOk(again(late, short).holds(asker, false, token, late));
});
