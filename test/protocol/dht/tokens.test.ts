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
