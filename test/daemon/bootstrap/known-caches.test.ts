import t from 'tap';
import { cachesToAsk, ownCaches, wellKnownCaches } from '../../../daemon/bootstrap/known-caches.ts';
import { resolveSettings } from '../../../settings/resolve.ts';

const resolved = (flags: object) => resolveSettings({ flags, env: {}, cwd: '/' });

t.test('the published list is sound, and names no GWebCache of others', async t => {
  const { udp, web } = await wellKnownCaches();
  t.strictSame(web, []);
  t.ok(udp.length > 0 && udp.every(cache => /^[a-z0-9.-]+:\d+$/.test(cache)));
  t.strictSame(ownCaches(['http://a/', 'uhc:b:1']), { udp: ['b:1'], web: ['http://a/'] });
});

t.test('well-known caches are asked in public only, own ones unless bootstrapping is switched off', async t => {
  const caches = { 'bootstrap.caches': ['uhc:b:1'] };
  const ask = async (flags: object) => {
    const { udp } = await cachesToAsk(await resolved({ dataDir: '/d', ...flags }));
    return [...udp.own, ...udp.wellKnown];
  };
  t.strictSame(await ask({ profile: 'local', ...caches }), ['b:1']);
  t.strictSame(await ask({ profile: 'lan', ...caches }), ['b:1']);
  t.strictSame(await ask({ profile: 'lan', 'bootstrap.enabled': true }), []);
  t.strictSame(await ask({ profile: 'lan', 'bootstrap.enabled': false, ...caches }), []);
  t.strictSame(await ask({ profile: 'public', 'bootstrap.enabled': false, ...caches }), []);
  const open = await ask({ profile: 'public', ...caches });
  t.equal(open[0], 'b:1');
  t.ok(open.length > 5);
});
