// context: adds, lists and removes contexts, which are daemons by name.
import { resolve } from 'node:path';
import { Command } from 'commander';
import { apiUrl } from './connection.ts';
import { type Context, contextNamed, isContextName, readContexts, writeContexts } from './contexts.ts';
import { usageError } from './failure.ts';
import { outputOptions } from './output.ts';
import { type Column, table } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

interface ContextFlags {
  api?: string;
  token?: string;
  tokenFile?: string;
  dataDir?: string;
  json?: true;
}

export function contextCommand(terminal: Terminal): Command {
  const command = new Command('context').description(
    'daemons by name, for --context NAME and "servent fleet"; kept in contexts.json in the configuration folder of the user',
  );
  command.addCommand(
    outputOptions(new Command('add').description('name a daemon; one of this name is replaced'))
      .argument('<name>', 'letters, digits, ".", "_" and "-"')
      .option('--api <url>', 'URL of the daemon')
      .option('--token <token>', 'API token, kept in the file; a key of its own (servent keys create) can be revoked')
      .option('--token-file <file>', 'file that holds the token, read at each use')
      .option('--data-dir <dir>', 'data folder of a daemon of this machine, read at each use for what is not given')
      .action(async (name: string, flags: ContextFlags) => {
        const context = contextOf(name, flags, terminal);
        const others = await readContexts(terminal);
        const at = others.findIndex(other => other.name === name);
        const file = await writeContexts(terminal, at < 0 ? [...others, context] : others.with(at, context));
        if (flags.json === true) printJson(terminal, { file, ...shown(context) });
        else print(terminal, `${at < 0 ? 'added' : 'replaced'} ${name} in ${file}`);
      }),
  );
  command.addCommand(
    outputOptions(new Command('list').description('list the contexts; tokens are not shown')).action(
      async ({ json }: ContextFlags) => {
        const rows = (await readContexts(terminal)).map(shown);
        if (json === true) printJson(terminal, { items: rows, next: null });
        else if (rows.length === 0)
          note(terminal, 'no contexts: add one with "servent context add NAME --api URL --token TOKEN"');
        else print(terminal, table(columns, rows));
      },
    ),
  );
  command.addCommand(
    outputOptions(new Command('remove').description('forget a daemon; the daemon itself is left alone'))
      .argument('<name>', 'as "servent context list" shows it')
      .action(async (name: string, { json }: ContextFlags) => {
        const context = await contextNamed(terminal, name);
        const others = (await readContexts(terminal)).filter(other => other.name !== name);
        const file = await writeContexts(terminal, others);
        if (json === true) printJson(terminal, { file, ...shown(context) });
        else print(terminal, `removed ${name} from ${file}`);
      }),
  );
  return command;
}

function contextOf(name: string, { api, token, tokenFile, dataDir }: ContextFlags, { cwd }: Terminal): Context {
  if (!isContextName(name))
    throw usageError(`expected a name of letters, digits, ".", "_" and "-", 63 characters at most, got ${name}`);
  if (api === undefined && dataDir === undefined)
    throw usageError('expected --api URL, or --data-dir DIR for a daemon of this machine');
  if (token !== undefined && tokenFile !== undefined) throw usageError('expected --token or --token-file, not both');
  if (token === undefined && tokenFile === undefined && dataDir === undefined)
    throw usageError('expected --token TOKEN, --token-file FILE or --data-dir DIR: the API asks for a token');
  return {
    name,
    ...(api === undefined ? {} : { api: apiUrl(api) }),
    ...(token === undefined ? {} : { token }),
    ...(tokenFile === undefined ? {} : { tokenFile: resolve(cwd, tokenFile) }),
    ...(dataDir === undefined ? {} : { dataDir: resolve(cwd, dataDir) }),
  };
}

interface Shown {
  name: string;
  api: string | null;
  token: string;
  dataDir: string | null;
}

const shown = ({ name, api, token, tokenFile, dataDir }: Context): Shown => ({
  name,
  api: api ?? null,
  token: token !== undefined ? 'kept here' : (tokenFile ?? 'in the data folder'),
  dataDir: dataDir ?? null,
});

const columns: Column<Shown>[] = [
  { title: 'NAME', of: row => row.name },
  { title: 'API', of: row => row.api ?? 'as in the data folder' },
  { title: 'TOKEN', of: row => row.token },
  { title: 'DATA FOLDER', of: row => row.dataDir ?? '' },
];
