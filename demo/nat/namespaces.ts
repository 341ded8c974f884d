// Makes and removes the network namespaces of one run, and finds those that a dead run has left.
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { isOfDeadRun, runPrefix } from './run-name.ts';

const run = promisify(execFile);

/** Runs `ip`, with commands on its standard input in batch mode. Rejects with what it said. */
function ip(args: readonly string[], input?: string): Promise<string> {
  return withInput('ip', args, input);
}

async function withInput(command: string, args: readonly string[], input = ''): Promise<string> {
  const running = run(command, [...args]);
  running.child.stdin?.on('error', () => undefined); // a program that ends before it has read says why by its exit code
  running.child.stdin?.end(input);
  try {
    return (await running).stdout;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new Error(`"${command} ${args.join(' ')}" failed: ${said}`, { cause: error });
  }
}

export class Namespaces {
  readonly #prefix: string;
  readonly #names: string[] = [];
  readonly #removeAtExit = () => this.removeAtOnce();

  constructor() {
    this.#prefix = runPrefix();
    process.once('exit', this.#removeAtExit);
  }

  /** A new namespace with loopback up; its full name. */
  async add(name: string): Promise<string> {
    const full = this.#prefix + name;
    await ip(['netns', 'add', full]);
    this.#names.push(full);
    await ip(['-n', full, 'link', 'set', 'lo', 'up']);
    return full;
  }

  /** Joins two namespaces by a cable. */
  async join(one: End, other: End): Promise<void> {
    const { namespace, device } = one;
    const pair = ['type', 'veth', 'peer', 'name', other.device, 'netns', other.namespace];
    await ip(['link', 'add', device, 'netns', namespace, ...pair]);
    for (const { namespace, device, address } of [one, other]) {
      await configure(namespace, [`addr add ${address} dev ${device}`, `link set ${device} up`]);
    }
  }

  /** Ends what runs in the namespaces and removes them. */
  async remove(): Promise<void> {
    process.removeListener('exit', this.#removeAtExit);
    this.removeAtOnce();
  }

  removeAtOnce(): void {
    for (const name of this.#names.splice(0)) removeNamespace(name);
  }
}

/** An end of a cable. `address`: with its prefix length. */
export interface End {
  readonly namespace: string;
  readonly device: string;
  readonly address: string;
}

/** Runs lines such as `route add default via 5.1.0.254` in a namespace. */
export async function configure(namespace: string, lines: readonly string[]): Promise<void> {
  await ip(['-n', namespace, '-batch', '-'], `${lines.join('\n')}\n`);
}

/** Has the namespace forward packets, as a router does. */
export async function forward(namespace: string): Promise<void> {
  await ip(['netns', 'exec', namespace, 'tee', '/proc/sys/net/ipv4/ip_forward'], '1');
}

export async function loadRules(namespace: string, rules: string): Promise<void> {
  await ip(['netns', 'exec', namespace, 'nft', '-f', '-'], rules);
}

/** Delays everything that leaves the device. Rejects where the kernel has no netem. */
export async function delay(namespace: string, device: string, ms: number): Promise<void> {
  await ip(['netns', 'exec', namespace, 'tc', 'qdisc', 'add', 'dev', device, 'root', 'netem', 'delay', `${ms}ms`]);
}

/** Words that run a program in a namespace. */
export function inNamespace(namespace: string, program: string, args: readonly string[]): [string, string[]] {
  return ['ip', ['netns', 'exec', namespace, program, ...args]];
}

/** Removes the namespaces of runs that have ended without doing so; their names. */
export async function removeLeftovers(): Promise<string[]> {
  const listed = (await ip(['netns', 'list'])).split('\n').map(line => line.split(' ')[0] ?? '');
  const dead = listed.filter(isOfDeadRun);
  for (const name of dead) removeNamespace(name);
  return dead;
}

function removeNamespace(name: string): void {
  const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
  for (const pid of stdout?.split('\n') ?? []) {
    if (pid !== '') spawnSync('kill', ['-KILL', pid]);
  }
  spawnSync('ip', ['netns', 'delete', name]);
}

/** Why no laboratory can be built here; null: it can. */
export async function missingHere(): Promise<string | null> {
  if (process.platform !== 'linux') return 'network namespaces exist only on Linux';
  if (process.getuid?.() !== 0) return 'only root may make network namespaces';
  for (const [program, args, from] of [
    ['ip', ['-V'], 'iproute2'],
    ['nft', ['-v'], 'nftables'],
  ] as const) {
    const { error } = spawnSync(program, args);
    if (error !== undefined) return `the program "${program}" is missing: install the package ${from}`;
  }
  return trial();
}

const TRIAL_RULES = `table ip trial {
  chain outwards { type nat hook postrouting priority srcnat; masquerade fully-random; }
  chain forwarded { type filter hook forward priority filter; ct state established accept; }
}
`;

/** Tries what the laboratory needs of the kernel. */
async function trial(): Promise<string | null> {
  const namespaces = new Namespaces();
  try {
    const [router, host] = [await namespaces.add('trial'), await namespaces.add('trial-host')];
    await namespaces.join(
      { namespace: router, device: 'inner', address: '192.168.1.1/24' },
      { namespace: host, device: 'outer', address: '192.168.1.2/24' },
    );
    await forward(router);
    await loadRules(router, TRIAL_RULES);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await namespaces.remove();
  }
}
