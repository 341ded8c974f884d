// cache: runs a GWebCache and UDP host cache in the foreground.
import { isIP } from 'node:net';
import { Command, InvalidArgumentError, Option } from 'commander';
import { formatEndpoint, reachOf } from '../protocol/wire/endpoint.ts';
import { declaration, type Settings } from '../settings/settings.ts';
import { CommandError } from './failure.ts';
import { inProcess } from './in-process.ts';
import { wholeNumber } from './numbers.ts';
import { sayReady } from './ready.ts';
import { askedToStop } from './signals.ts';
import type { Terminal } from './terminal.ts';

const PORT = 6380;
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

interface CacheFlags {
  host: string;
  port: number;
  lab?: true;
  logLevel: Settings['log']['level'];
}

export function cacheCommand(terminal: Terminal): Command {
  return new Command('cache')
    .description('run a GWebCache and UDP host cache for a private network')
    .option('--host <addr>', 'address to listen on', listenAddress, '127.0.0.1')
    .option('--port <n>', 'port to listen on, TCP and UDP; 0: any free port', portNumber, PORT)
    .option(
      '--lab',
      'no rate limits; accept private addresses, and hosts submitted by other hosts; always on for a loopback address',
    )
    .addOption(new Option('--log-level <level>', declaration.log.level.doc).choices(LOG_LEVELS).default('info'))
    .action((flags: CacheFlags) => runCache(terminal, flags));
}

const portNumber = wholeNumber(0, 65_535);

function listenAddress(text: string): string {
  const host = text === 'localhost' ? '127.0.0.1' : text;
  if (isIP(host) === 0) throw new InvalidArgumentError('Expected an IP address of this machine.');
  return host;
}

async function runCache(terminal: Terminal, { host, port, lab, logLevel }: CacheFlags): Promise<void> {
  const [{ CacheServer }, { createLog }, { SystemClock, SystemRandom }] = await Promise.all([
    inProcess.cacheServer(),
    inProcess.log(),
    inProcess.system(),
  ]);
  const log = await createLog({ level: logLevel, format: 'auto' });
  const server = new CacheServer({
    host,
    port,
    lab: lab === true || reachOf(host) === 'loopback',
    clock: new SystemClock(),
    random: new SystemRandom(),
    log: log.child({ mod: 'cache' }),
  });
  const stopped = askedToStop();
  try {
    const own = await server.start().catch((error: Error) => {
      throw new CommandError(
        `cannot listen on ${host} port ${port}: ${error.message}; choose another --host or --port`,
      );
    });
    sayReady(terminal, log, `ready cache=http://${formatEndpoint(own)}/gwc/ udp=${formatEndpoint(own)}`);
    await stopped;
  } finally {
    await server.stop();
  }
}
