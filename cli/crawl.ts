// crawl: asks servents for their neighbours, from host to host, and says who is there and how they are connected.
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { everyItem } from '../api/client.ts';
import { graphml } from '../measure/graphml.ts';
import { Crawl } from '../protocol/crawl/crawl.ts';
import {
  type CrawledHost,
  type CrawlReport,
  degreeCounts,
  degreesOf,
  type HostState,
  type Way,
} from '../protocol/crawl/crawl-report.ts';
import { CRAWL_RULES } from '../protocol/crawl/crawl-rules.ts';
import { BlockList } from '../protocol/wire/block-list.ts';
import { type Endpoint, endpointOrNull, formatEndpoint, reachOf } from '../protocol/wire/endpoint.ts';
import { resolveSettings } from '../settings/resolve.ts';
import type { Settings } from '../settings/settings.ts';
import { type ClientFlags, findDaemon } from './connection.ts';
import { crawlFigures, crawlPicture } from './crawl-figures.ts';
import { CommandError, usageError } from './failure.ts';
import { inProcess } from './in-process.ts';
import { wholeNumber } from './numbers.ts';
import { outputOptions } from './output.ts';
import { settingOptions } from './setting-options.ts';
import { stopSignal } from './signals.ts';
import { table } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

interface CrawlFlags extends ClientFlags {
  config?: string;
  over: readonly Way[];
  rate?: number;
  parallel: number;
  hosts: number;
  recording?: string | false;
  graphml?: string;
  svg?: string;
  plot?: true;
}

const PARALLEL = 16;
const HOSTS = 10_000;
const HOSTS_MAX = 100_000;
const COLUMNS = 80;

export function crawlCommand(terminal: Terminal): Command {
  const command = outputOptions(
    new Command('crawl').description(
      'ask servents for their neighbours, from host to host: who is there, and how connected',
    ),
  )
    .argument('[host:port...]', 'where to begin (default: this servent and the hosts that it knows, if it runs)')
    .option('--over <ways>', 'how hosts are asked: tcp, udp, or tcp,udp for the second where the first fails', waysOf, [
      'tcp',
      'udp',
    ] as const)
    .option('--rate <n>', 'hosts asked in a second (default: 5, in the profile local 50)', wholeNumber(1, 1000))
    .option('--parallel <n>', 'most hosts that are waited for at a time', wholeNumber(1, 256), PARALLEL)
    .option('--hosts <n>', 'most hosts that are asked', wholeNumber(1, HOSTS_MAX), HOSTS)
    .option('--recording <dir>', 'folder for the tables hosts and edges (default: the recording of this servent)')
    .option('--no-recording', 'write no tables')
    .option('--graphml <file>', 'write the topology to this file as GraphML')
    .option('--svg <file>', 'write a picture of the topology and of its degrees to this file')
    .option('--plot', 'draw the degrees in the terminal')
    .option('--config <file>', 'the configuration file (SERVENT_CONFIG)')
    .option('--api <url>', 'URL of the daemon whose hosts are asked first (SERVENT_API)')
    .option('--token <token>', 'API token (SERVENT_TOKEN, or a file named by SERVENT_TOKEN_FILE)');
  const settingsIn = settingOptions(command, ['profile', 'dataDir', 'gnutella.interface']);
  return command.action(async (aims: string[], flags: CrawlFlags) => {
    const { settings } = await resolveSettings({
      flags: settingsIn(flags as unknown as Record<string, unknown>),
      env: terminal.env,
      cwd: terminal.cwd,
      ...(flags.config === undefined ? {} : { configFile: flags.config }),
    });
    await crawlWith(terminal, settings, aims, flags);
  });
}

function waysOf(text: string): Way[] {
  const ways = text.split(',');
  if (ways.length > 2 || new Set(ways).size < ways.length || !ways.every(isWay))
    throw usageError('--over is tcp, udp, tcp,udp or udp,tcp');
  return ways.filter(isWay);
}

const isWay = (text: string): text is Way => text === 'tcp' || text === 'udp';

async function crawlWith(
  terminal: Terminal,
  settings: Settings,
  aims: readonly string[],
  flags: CrawlFlags,
): Promise<void> {
  const { runCrawl, VisitFile, CrawlFileError, writeCrawl, SystemRandom, readBlockLists, silentLog } =
    await inProcess.crawl();
  const rules = CRAWL_RULES[settings.profile];
  const { rate = rules.rate, over: ways, parallel: parallelMax, hosts: hostsMax } = flags;
  if (rate > rules.rateMax) throw usageError(`--rate: at most ${rules.rateMax} in the profile ${rules.profile}`);
  const visits = await VisitFile.open(settings.dataDir, rules).catch(error => {
    throw error instanceof CrawlFileError ? new CommandError(error.message) : error;
  });
  const { block, blockLists: files } = settings.gnutella;
  const blocked = new BlockList();
  blocked.replace((await readBlockLists({ block, files }, blocked, silentLog)).sources);
  const crawl = new Crawl({
    ...{ rules, book: visits.book, ways, rate, parallelMax, hostsMax },
    blockedBy: host => blocked.blockedBy(host),
  });
  const named = aims.map(aim => aimOf(aim, crawl));
  const from = await wayOut(settings);
  for (const endpoint of named.length > 0 ? named : await knownHosts(terminal, flags, settings)) crawl.add(endpoint);

  const signal = stopSignal(terminal);
  const began = Date.now();
  const keep = (): Promise<void> => visits.save(rules.againMs, Date.now());
  const { userAgent } = settings.gnutella;
  await runCrawl(crawl, { ways, parallelMax, userAgent, from }, signal, async () => {
    await keep();
    const { asked, answered, waiting } = crawl.progress;
    if (terminal.stderr.isTTY === true)
      note(terminal, `${asked} asked, ${answered} hosts answered, ${waiting} waiting`);
  });
  await keep();
  const report = crawl.report();
  if (flags.recording !== false) {
    const folder = resolve(terminal.cwd, flags.recording ?? settings.recording.folder);
    const isSent = flags.recording === undefined && settings.recording.mode === 'clickhouse';
    writeCrawl(folder, report, new SystemRandom().guid().toString('hex'), began, isSent ? 'unsent' : 'journal');
    note(terminal, `recorded: the tables hosts and edges in ${folder}`);
  }
  await show(terminal, report, flags, (Date.now() - began) / 1000);
  if (signal.aborted) throw signal.reason;
  if (report.asked === 0) throw new CommandError(nobodyAsked(report));
}

/** Throws a CommandError for what is no address, or one that the profile does not reach. */
function aimOf(text: string, crawl: Crawl): Endpoint {
  const endpoint = endpointOrNull(text);
  if (endpoint === null)
    throw usageError(`${JSON.stringify(text)} is no address: give an IP address and a port, HOST:PORT`);
  const why = crawl.forbids(endpoint);
  if (why !== null) throw usageError(`${formatEndpoint(endpoint)}: ${why}`);
  return endpoint;
}

/** The local address that all is sent from; null: the system chooses. */
async function wayOut(settings: Settings): Promise<string | null> {
  const { BoundInterface, socksWayOf } = await inProcess.crawl();
  if (socksWayOf(settings) !== null)
    throw new CommandError(
      'proxy.socks is set, and a crawl does not go through it: it would show the address of this machine. Crawl from another machine, or with another --config',
    );
  const { interface: name } = settings.gnutella;
  if (name === '') return settings.profile === 'local' ? '127.0.0.1' : null;
  const { address } = new BoundInterface({ name, onChange: () => undefined });
  if (address === null)
    throw new CommandError(`the interface ${name} of gnutella.interface is not there: nothing is sent`);
  return address;
}

/** Of the daemon that runs: itself and its host cache. */
async function knownHosts(terminal: Terminal, flags: CrawlFlags, settings: Settings): Promise<Endpoint[]> {
  const { client } = await findDaemon({ ...flags, dataDir: settings.dataDir }, terminal).catch(error => {
    if (error instanceof CommandError)
      throw usageError(`no host to begin with: give HOST:PORT, or start the servent (${error.message})`);
    throw error;
  });
  const { gnutella } = await client.status();
  const hosts: Endpoint[] = reachOf(gnutella.host) === 'unusable' ? [] : [gnutella];
  for await (const { address } of everyItem(page => client.hosts(page), HOSTS_MAX)) {
    const endpoint = endpointOrNull(address);
    if (endpoint !== null) hosts.push(endpoint);
  }
  if (hosts.length === 0) throw new CommandError('the servent knows no host: give HOST:PORT');
  return hosts;
}

function nobodyAsked({ hosts }: CrawlReport): string {
  const reasons = new Set(hosts.map(({ why }) => why));
  if (reasons.has('recently'))
    return 'nobody was asked: these hosts were asked within the last day, and each is asked once a day';
  if (reasons.has('opted_out')) return 'nobody was asked: these hosts want no crawlers';
  return 'nobody was asked: the profile does not reach any of these hosts: give HOST:PORT, or choose another --profile';
}

function countsOf(hosts: readonly CrawledHost[]): Record<HostState, number> {
  const counts = { answered: 0, refused: 0, silent: 0, unreadable: 0, left_out: 0 };
  for (const { state } of hosts) counts[state]++;
  return counts;
}

async function show(terminal: Terminal, report: CrawlReport, flags: CrawlFlags, seconds: number): Promise<void> {
  const { hosts, edges, asked, beyond } = report;
  const degrees = degreeCounts(degreesOf(report).values());
  if (flags.graphml !== undefined) {
    const file = resolve(terminal.cwd, flags.graphml);
    await writeFile(file, graphml(hosts, edges));
    note(terminal, `written: ${file}`);
  }
  if (flags.svg !== undefined) {
    const file = resolve(terminal.cwd, flags.svg);
    await writeFile(file, await crawlPicture(report, degrees));
    note(terminal, `written: ${file}`);
  }
  const counts = countsOf(hosts);
  if (flags.json === true) {
    const shares = degrees.map(([degree, count]) => ({ degree, hosts: count }));
    printJson(terminal, { hosts, edges, counts, degrees: shares, asked, beyond, seconds }, hosts);
    return;
  }
  const shown = hosts.filter(({ state }) => state !== 'left_out');
  if (shown.length > 0)
    print(
      terminal,
      table<CrawledHost>(
        [
          { title: 'HOST', of: host => host.address },
          { title: 'STATE', of: host => host.state },
          { title: 'ROLE', of: host => host.role },
          { title: 'ULTRAPEERS', of: host => String(host.ultrapeers), right: true },
          { title: 'LEAVES', of: host => String(host.leaves), right: true },
          { title: 'OVER', of: host => host.way ?? '' },
          { title: 'PROGRAM', of: host => host.userAgent },
          { title: 'WHY', of: host => host.why },
        ],
        shown,
      ),
    );
  if (flags.plot === true && degrees.length > 0) {
    const width = Math.min(terminal.stdout.columns ?? COLUMNS, 120);
    for (const figure of await crawlFigures(degrees, width)) print(terminal, `\n${figure}`);
  }
  const { answered, refused, silent, unreadable, left_out: leftOut } = counts;
  note(
    terminal,
    `${answered} hosts answered, ${refused} refused, ${silent} were silent, ${unreadable} could not be read, ${leftOut} were not asked; ${edges.length} connections, ${asked} questions in ${seconds.toFixed(1)} s`,
  );
  for (const [why, count] of reasonsOf(hosts)) note(terminal, `not asked, ${why}: ${count}`);
  if (beyond > 0) note(terminal, `${beyond} further hosts or connections are more than a crawl keeps: see --hosts`);
}

function reasonsOf(hosts: readonly CrawledHost[]): Map<string, number> {
  const reasons = new Map<string, number>();
  for (const { state, why } of hosts) if (state === 'left_out') reasons.set(why, (reasons.get(why) ?? 0) + 1);
  return reasons;
}
