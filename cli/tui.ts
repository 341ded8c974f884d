// tui: starts the terminal dashboard. Its code and blessed are loaded on start.
import { Command } from 'commander';
import type { Source } from '../tui/app.ts';
import { type ClientFlags, findDaemon } from './connection.ts';
import { EndedBySignal, usageError } from './failure.ts';
import type { Terminal } from './terminal.ts';

interface TuiFlags {
  api: string[];
  token: string[];
  dataDir: string[];
  context: string[];
  fleet?: true;
  demo?: boolean;
  plain?: boolean;
  ascii?: boolean;
  mouse: boolean;
}

const DAEMONS_MAX = 32;
/** Limit for each call of the dashboard. */
const CALL_WAIT_MS = 15_000;

const collect = (item: string, items: string[]): string[] => [...items, item];

export function tuiCommand(terminal: Terminal): Command {
  return new Command('tui')
    .description('run the terminal dashboard; "?" shows help, "q" quits')
    .option('--api <url>', 'URL of the daemon (SERVENT_API); repeatable', collect, [])
    .option('--token <token>', 'API token (SERVENT_TOKEN); one per --api, or one for all', collect, [])
    .option('--data-dir <dir>', 'data folder of the daemon, read for URL and token; repeatable', collect, [])
    .option('--context <name>', 'a daemon of "servent context" (SERVENT_CONTEXT); repeatable', collect, [])
    .option('--fleet', 'all daemons of "servent context list"')
    .option('--demo', 'simulate a network, without a daemon')
    .option('--plain', 'print lines instead of a screen, for screen readers and pipes')
    .option('--ascii', 'draw with ASCII characters only')
    .option('--no-mouse', 'do not use the mouse')
    .action(async (flags: TuiFlags) => {
      const { demoSource, runDashboard } = await import('../tui/main.ts');
      const { demo, plain, ascii, mouse } = flags;
      const signal = await runDashboard({
        sources: demo === true ? [await demoSource()] : await sourcesFor(flags, terminal),
        input: terminal.stdin ?? process.stdin,
        output: terminal.stdout as NodeJS.WriteStream,
        env: terminal.env,
        mouse,
        remember: demo !== true,
        ...(plain === undefined ? {} : { plain }),
        ...(ascii === undefined ? {} : { ascii }),
      });
      if (signal !== null) throw new EndedBySignal(signal);
    });
}

/** The daemons named by the flags, in order. */
async function sourcesFor(flags: TuiFlags, terminal: Terminal): Promise<Source[]> {
  const { api, token, dataDir, fleet } = flags;
  const contexts = fleet === true ? await fleetNames(terminal) : flags.context;
  if (contexts.length > 0) {
    if (api.length + dataDir.length + token.length > 0)
      throw usageError('expected --context or --fleet, or else --api, --token and --data-dir');
    if (contexts.length > DAEMONS_MAX) throw usageError(`${contexts.length} daemons: ${DAEMONS_MAX} at most`);
    return Promise.all(
      contexts.map(async context => {
        const { client, follow, url } = await findDaemon({ context }, terminal, CALL_WAIT_MS);
        return { name: context, url, client, follow };
      }),
    );
  }
  const count = Math.max(1, api.length, dataDir.length);
  if (count > DAEMONS_MAX) throw usageError(`${count} daemons: ${DAEMONS_MAX} at most`);
  const sources: Source[] = [];
  for (let i = 0; i < count; i++) {
    const found: ClientFlags = {
      ...given('api', api[i]),
      ...given('token', token[i] ?? token.at(-1)),
      ...given('dataDir', dataDir[i] ?? dataDir.at(-1)),
    };
    const { client, follow, url } = await findDaemon(found, terminal, CALL_WAIT_MS);
    sources.push({ name: count === 1 ? 'servent' : new URL(url).host, url, client, follow });
  }
  return sources;
}

async function fleetNames(terminal: Terminal): Promise<string[]> {
  const { readContexts } = await import('./contexts.ts');
  const names = (await readContexts(terminal)).map(({ name }) => name);
  if (names.length === 0) throw usageError('there are no contexts: add one with "servent context add NAME --api URL"');
  return names;
}

function given<K extends string>(key: K, value: string | undefined): { [P in K]?: string } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: string };
}
