// replay: asks the queries of a recording again, of servents in a private network or in a virtual one.
import { resolve } from 'node:path';
import { Command } from 'commander';
import { version } from '../api/version.ts';
import type { Workload } from '../measure/workload.ts';
import { NETWORK_RULES } from '../protocol/network-rules.ts';
import { ReachPolicy } from '../protocol/overlay/reach/reach-policy.ts';
import { type Endpoint, endpointOrNull, formatEndpoint } from '../protocol/wire/endpoint.ts';
import { CommandError, usageError } from './failure.ts';
import { inProcess } from './in-process.ts';
import { inSimulator } from './in-simulator.ts';
import { secondsUpTo, wholeNumber } from './numbers.ts';
import { outputOptions } from './output.ts';
import { stopSignal } from './signals.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

interface ReplayFlags {
  to?: string;
  sim?: true;
  speed: number;
  profile: string;
  wait: number;
  servents: number;
  seed: number;
  seconds: number;
  json?: true;
}

/** What a person is told, and programs get. */
interface Report {
  readonly where: string;
  readonly sent: number;
  readonly answered: number;
  readonly files: number;
  readonly seconds: number;
  readonly leftOut: Readonly<Record<string, number>>;
  readonly traceHash?: string;
}

const PROFILES = ['local', 'lan'] as const;
const WAIT_SECONDS = 5;
const TOLD_MS = 2_000;
const REASONS: Readonly<Record<string, string>> = {
  copy: 'recorded by several servents: asked once',
  hashed: 'words were recorded as hashes (queries.privacy), which nobody can search for',
  by_hash: 'asked by hash, and which one is not recorded',
  empty: 'without a text',
  too_long: 'longer than servents take',
  unreadable: 'rows that are not whole',
  beyond: 'more than a replay keeps',
};

export function replayCommand(terminal: Terminal): Command {
  return outputOptions(
    new Command('replay').description('ask the queries of a recording again, in a private network or a virtual one'),
  )
    .argument('<recording>', 'a folder of a recording, or a segment of its table queries')
    .option('--to <host:port>', 'an ultrapeer of a private network, to which this connects as a leaf')
    .option('--sim', 'ask in a virtual network of whole servents')
    .option('--speed <n>', 'so many times as fast as recorded', speedOf, 1)
    .option('--profile <profile>', `with --to: ${PROFILES.join(' or ')}`, 'lan')
    .option('--wait <seconds>', 'with --to: wait for hits after the last query', secondsUpTo(3600), WAIT_SECONDS)
    .option('--servents <n>', 'with --sim: servents of the network', wholeNumber(20, 5_000), 200)
    .option('--seconds <n>', 'with --sim: most virtual seconds', wholeNumber(1, 86_400), 600)
    .option('--seed <n>', 'with --sim: the seed that all chance comes from', wholeNumber(0, 0xffff_ffff), 1)
    .action(async (recording: string, flags: ReplayFlags) => {
      if ((flags.to === undefined) === (flags.sim === undefined))
        throw usageError('say where the queries are asked: --to HOST:PORT, or --sim');
      const to = flags.to === undefined ? null : aimOf(flags.to, flags.profile);
      const workload = await workloadOf(resolve(terminal.cwd, recording));
      if (workload.queries.length === 0) {
        const why = reasonsOf(workload).map(([reason, count]) => `${count} ${REASONS[reason] ?? reason}`);
        throw new CommandError(
          `the recording has no query that can be asked again${why.length === 0 ? ': it is empty' : `: ${why.join('; ')}`}`,
        );
      }
      if (to === null) {
        show(terminal, await inSim(terminal, workload, flags), flags);
        return;
      }
      const signal = stopSignal(terminal);
      show(terminal, await live(terminal, workload, to, flags, signal), flags);
      signal.throwIfAborted();
    });
}

function speedOf(text: string): number {
  const speed = Number(text);
  if (!(speed >= 0.001 && speed <= 1_000_000))
    throw usageError('--speed is a number from 0.001 to 1000000, such as 10');
  return speed;
}

/** Recorded queries are others': they are asked in private networks alone. */
function aimOf(text: string, name: string): Endpoint {
  const profile = PROFILES.find(known => known === name);
  if (profile === undefined)
    throw usageError(`--profile is ${PROFILES.join(' or ')}: queries of others are asked in private networks alone`);
  const endpoint = endpointOrNull(text);
  if (endpoint === null)
    throw usageError(`${JSON.stringify(text)} is no address: give an IP address and a port, HOST:PORT`);
  const why = new ReachPolicy(NETWORK_RULES[profile]).forbids(endpoint);
  if (why !== null)
    throw usageError(
      `${formatEndpoint(endpoint)} is outside of the profile ${profile}: queries of others are asked in private networks alone`,
    );
  return endpoint;
}

async function workloadOf(path: string): Promise<Workload> {
  const { readWorkload, ReplayError } = await inProcess.replay();
  try {
    return await readWorkload(path);
  } catch (error) {
    throw error instanceof ReplayError ? new CommandError(error.message) : error;
  }
}

const reasonsOf = ({ leftOut }: Workload): [string, number][] => [...leftOut];

async function live(
  terminal: Terminal,
  workload: Workload,
  to: Endpoint,
  flags: ReplayFlags,
  signal: AbortSignal,
): Promise<Report> {
  const { replay, ReplayError, DialError } = await inProcess.replay();
  const { speed, wait } = flags;
  const profile = flags.profile === 'local' ? 'local' : 'lan';
  let toldAt = Date.now();
  try {
    const userAgent = `servent/${version}`;
    const replayed = await replay(
      workload.queries,
      { ...{ to, profile, userAgent, speed }, waitMs: wait * 1000 },
      signal,
      sent => {
        if (terminal.stderr.isTTY !== true || Date.now() - toldAt < TOLD_MS) return;
        toldAt = Date.now();
        note(terminal, `${sent} of ${workload.queries.length} queries sent`);
      },
    );
    const { unsent, ...counts } = replayed;
    return { where: formatEndpoint(to), ...counts, leftOut: { ...Object.fromEntries(workload.leftOut), ...unsent } };
  } catch (error) {
    if (error instanceof ReplayError || error instanceof DialError) throw new CommandError(error.message);
    throw error;
  }
}

async function inSim(terminal: Terminal, workload: Workload, flags: ReplayFlags): Promise<Report> {
  const { replayInVirtualNetwork } = await inSimulator.replayed();
  const { speed, servents, seed, seconds: secondsMax } = flags;
  note(
    terminal,
    workload.hits
      ? 'files: each text is shared by as many servents as answered it when it was recorded'
      : 'no hits were recorded: as a stand-in each text is shared by as many servents as it was asked for, and one',
  );
  const { unsent, shared, ...counts } = replayInVirtualNetwork(workload.queries, {
    ...{ seed, servents, speed, secondsMax, hits: workload.hits },
    onProgress: () => undefined,
  });
  note(terminal, `${shared} files on ${servents} servents`);
  return { where: 'sim', ...counts, leftOut: { ...Object.fromEntries(workload.leftOut), ...unsent } };
}

function show(terminal: Terminal, report: Report, { json }: ReplayFlags): void {
  if (json === true) {
    printJson(terminal, report, [report]);
    return;
  }
  const { sent, answered, files, seconds, leftOut, traceHash } = report;
  const share = sent === 0 ? 0 : (100 * answered) / sent;
  print(terminal, `${sent} queries sent in ${seconds.toFixed(1)} s`);
  print(terminal, `${answered} answered, ${share.toFixed(1)} %; ${files} files found`);
  for (const [why, count] of Object.entries(leftOut)) print(terminal, `${count} left out: ${REASONS[why] ?? why}`);
  if (traceHash !== undefined) print(terminal, `trace ${traceHash}`);
}
