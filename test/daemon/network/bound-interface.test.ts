// A servent that is bound to one interface: what it does as the interface goes and comes back.
import { execFile, execFileSync } from 'node:child_process';
import type { NetworkInterfaceInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { BoundInterface } from '../../../daemon/net/bound-interface.ts';
import { projectRoot } from '../../support/fixtures.ts';
import { eventually } from '../../support/loopback.ts';

const run = promisify(execFile);

/** Why there can be no network namespace here; null: there can. */
function noNamespace(): string | null {
  try {
    execFileSync('unshare', ['--net', 'ip', 'link', 'add', 'tun0', 'type', 'veth', 'peer', 'name', 'lan0'], {
      stdio: 'pipe',
    });
    return null;
  } catch (error) {
    return `no network namespace with an interface can be made here: ${String(error).split('\n', 1)[0]}`;
  }
}

const of = (...addresses: string[]) => addresses.map(address => ({ address }) as NetworkInterfaceInfo);

t.test('the address of an interface is followed, IPv4 first, and never a link-local one', async t => {
  let interfaces: Record<string, NetworkInterfaceInfo[]> = { tun0: of('fe80::1', '2001:4860::1', '10.8.0.2') };
  const seen: (string | null)[] = [];
  const onChange = (address: string | null) => seen.push(address);
  const bound = new BoundInterface({ name: 'tun0', interfaces: () => interfaces, onChange, lookMs: 1 });
  t.equal(bound.address, '10.8.0.2');
  bound.start();
  t.teardown(() => bound.stop());
  const gone = async (next: Record<string, NetworkInterfaceInfo[]>, count: number) => {
    interfaces = next;
    await eventually('it is noticed', () => seen.length === count);
  };
  await gone({ eth0: of('10.0.0.5') }, 1);
  await gone({ tun0: of('fe80::1', '2001:4860::1') }, 2);
  await gone({ tun0: of('fe80::1') }, 3);
  await gone({ tun0: of('10.8.0.3') }, 4);
  t.strictSame(seen, [null, '2001:4860::1', null, '10.8.0.3']);
});

const why = noNamespace();
t.test('with its interface away a servent closes all links and sends nothing', { skip: why ?? false }, async t => {
  const script = join(projectRoot, 'dist', 'test', 'support', 'interface-process.js');
  const { stdout } = await run('unshare', ['--net', process.execPath, script, t.testdir({ bound: {}, other: {} })]);
  t.match(JSON.parse(stdout), {
    host: '10.77.1.1',
    from: ['10.77.1.1'],
    attention: [/^interface: the interface tun0 is away/],
    doctor: 1,
    dial: /the interface tun0 is away/,
    ready: 'unavailable',
    again: 1,
  });
});
