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
async function sourcesFor({ api, token, dataDir }: TuiFlags, terminal: Terminal): Promise<Source[]> {
  const count = Math.max(1, api.length, dataDir.length);
  if (count > DAEMONS_MAX) throw usageError(`${count} daemons: ${DAEMONS_MAX} at most`);
  const sources: Source[] = [];
  for (let i = 0; i < count; i++) {
    const flags: ClientFlags = {
      ...given('api', api[i]),
      ...given('token', token[i] ?? token.at(-1)),
      ...given('dataDir', dataDir[i] ?? dataDir.at(-1)),
    };
    const { client, follow, url } = await findDaemon(flags, terminal, CALL_WAIT_MS);
    sources.push({ name: count === 1 ? 'servent' : new URL(url).host, url, client, follow });
  }
  return sources;
}

function given<K extends string>(key: K, value: string | undefined): { [P in K]?: string } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: string };
}
