// web: prints the URL of the web page and the source of its token.
import { join } from 'node:path';
import type { Command } from 'commander';
import { exchange } from '../api/exchange.ts';
import { type ClientFlags, clientCommand, dataDirOf, findDaemon } from './connection.ts';
import { CommandError } from './failure.ts';
import { facts } from './table.ts';
import { print, printJson, type Terminal } from './terminal.ts';

const WAIT_MS = 15_000;

export function webCommand(terminal: Terminal): Command {
  return clientCommand('web', 'print the URL of the web page and where to find its token').action(
    async (flags: ClientFlags) => {
      const { client, url } = await findDaemon(flags, terminal);
      await client.live();
      const page = url.startsWith('unix:') ? null : await pageAt(url);
      if (page === null)
        throw new CommandError(
          `there is no web page at ${url}: it is disabled; "servent config apply api.web true" enables it`,
        );
      const given = flags.token !== undefined || (terminal.env['SERVENT_TOKEN'] ?? '') !== '';
      const tokenFile = join(await dataDirOf(flags, terminal), 'api-token');
      if (flags.json === true) return printJson(terminal, { url: page, tokenFile: given ? null : tokenFile });
      const rows: [string, string][] = [
        ['page', page],
        ['token', given ? 'the given one' : `in ${tokenFile}`],
      ];
      print(terminal, facts(rows));
    },
  );
}

/** Resolves to the URL of the page; null if the answer is not this page. */
async function pageAt(url: string): Promise<string | null> {
  const asked = { method: 'HEAD', path: '/', headers: {}, body: null, signal: AbortSignal.timeout(WAIT_MS) };
  const { status, type } = await exchange({ url }, asked);
  return status === 200 && type.startsWith('text/html') ? `${url}/` : null;
}
