// Each kind of place in the laboratory treats datagrams and connections as it says, in the terms of RFC 4787.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import t from 'tap';
import { Laboratory } from '../../demo/nat/laboratory.ts';
import { missingHere, removeLeftovers } from '../../demo/nat/namespaces.ts';
import { KINDS, PLACE_KINDS } from '../../demo/nat/place-kind.ts';
import { PlaceProbe } from '../../demo/nat/place-probe.ts';

const missing = await missingHere();

t.test('routers and firewalls behave as their kind says', { skip: missing ?? false }, async t => {
  const places = Object.fromEntries(PLACE_KINDS.map(kind => [kind, kind]));
  const laboratory = await Laboratory.build({ places });
  t.teardown(() => laboratory.remove());
  const probe = new PlaceProbe(laboratory, laboratory.place('open'));
  t.teardown(() => probe.stop());
  const measured = await Promise.all(PLACE_KINDS.map(kind => probe.measure(laboratory.place(kind))));
  for (const [i, kind] of PLACE_KINDS.entries()) t.strictSame(measured[i], KINDS[kind].behaviour, kind);
});

t.test('a run that was killed leaves namespaces, which the next one removes', { skip: missing ?? false }, async t => {
  const code = `
    const { Namespaces } = await import(process.argv[1]);
    console.log(await new Namespaces().add('left'));
    process.kill(process.pid, 'SIGKILL');`;
  const module = new URL('../../demo/nat/namespaces.js', import.meta.url).href;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code, module], { encoding: 'utf8' });
  const name = stdout.trim();
  t.match(name, /^servent-lab-\d+-\d+-left$/);
  t.ok(existsSync(`/run/netns/${name}`), 'it is left');
  await removeLeftovers();
  t.notOk(existsSync(`/run/netns/${name}`), 'it is removed');
});
