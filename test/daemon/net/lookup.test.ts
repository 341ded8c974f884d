import t from 'tap';
import { addressesOf, lookupWithin } from '../../../daemon/net/lookup.ts';

const any = { resolvesNames: true, forbids: () => null };

t.test('localhost is known without asking; where names are not asked for it is the only one', async t => {
  const policy = { ...any, resolvesNames: false };
  t.match(await addressesOf('LocalHost', policy), [{ address: '127.0.0.1' }, { address: '::1' }]);
  await t.rejects(addressesOf('cache.example', policy), { code: 'LOOKUP_FORBIDDEN', message: /give an address/ });
  await t.rejects(addressesOf('localhost.example', policy), { code: 'LOOKUP_FORBIDDEN' });
});

t.test('only addresses that may be used', async t => {
  const policy = { ...any, forbids: (address: string) => (address === '::1' ? null : 'not that one') };
  t.strictSame(await addressesOf('localhost', policy), [{ address: '::1', family: 6 }]);
  await t.rejects(addressesOf('localhost', { ...any, forbids: () => 'too far' }), { message: 'localhost: too far' });
});

t.test('sockets are given one, all, or the reason', async t => {
  const look = (options: { all?: boolean }, forbids = any.forbids as (address: string) => string | null) =>
    new Promise(resolve => {
      lookupWithin({ ...any, forbids })('localhost', options, (error, address) => resolve(error ?? address));
    });
  t.equal(await look({}), '127.0.0.1');
  t.match(await look({ all: true }), [{ address: '127.0.0.1' }, { address: '::1' }]);
  t.match(await look({}, () => 'too far'), { message: 'localhost: too far' });
});
