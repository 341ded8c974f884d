import t from 'tap';
import { NETWORK_RULES } from '../../../../protocol/network-rules.ts';
import { OwnAddress } from '../../../../protocol/overlay/reach/own-address.ts';

const port = 6346;
const machine = ['127.0.0.1', '::1', '10.0.0.5', 'fe80::1', '2001:4860::5'];

t.test('a given address is what we say, whatever others see', async t => {
  const own = new OwnAddress({ host: '10.0.0.5', port }, NETWORK_RULES.public.reaches, machine);
  for (const voter of ['5.5.1.1', '6.6.1.1', '7.7.1.1']) t.equal(own.seen('8.8.1.1', voter), false);
  t.strictSame(own.endpoint, { host: '10.0.0.5', port });
  t.equal(own.ipv6, null);
});

t.test('on all addresses of both families there is one of each', async t => {
  const own = new OwnAddress({ host: '::', port }, NETWORK_RULES.public.reaches, machine);
  t.strictSame(own.endpoint, { host: '10.0.0.5', port });
  t.equal(own.ipv6, '2001:4860::5');
  t.equal(new OwnAddress({ host: '0.0.0.0', port }, NETWORK_RULES.public.reaches, machine).ipv6, null);
  t.equal(
    new OwnAddress({ host: '::', port }, NETWORK_RULES.public.reaches, ['2001:4860::5']).endpoint.host,
    '2001:4860::5',
  );
  t.strictSame(new OwnAddress({ host: '::', port }, NETWORK_RULES.lan.reaches, machine).ipv6, '::1');
  t.equal(new OwnAddress({ host: '::1', port }, NETWORK_RULES.local.reaches, machine).endpoint.host, '::1');
});

t.test('two networks that agree are believed, for each family by itself', async t => {
  const own = new OwnAddress({ host: '::', port }, NETWORK_RULES.public.reaches, machine);
  t.equal(own.seen('8.8.1.1', '5.5.1.1'), false);
  t.equal(own.seen('8.8.1.1', '5.5.9.9'), false, 'the same network votes once');
  t.equal(own.seen('2001:4860::9', '2001:4861::1'), false);
  t.equal(own.seen('8.8.1.1', '6.6.1.1'), true);
  t.equal(own.seen('2001:4860::9', '2001:4862::1'), true);
  t.strictSame([own.endpoint.host, own.ipv6], ['8.8.1.1', '2001:4860::9']);
  t.equal(own.seen('10.1.1.1', '7.7.1.1'), false, 'nobody outside sees a private address');
  t.equal(own.seen('nonsense', '7.7.1.1'), false);
});
