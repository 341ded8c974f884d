// keys: lists, creates and revokes keys of the API.
import { type Command, Option } from 'commander';
import type { KeyScope, KeyView } from '../api/control.ts';
import { keyColumns } from './columns.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { usageError } from './failure.ts';
import { type List, listCommand } from './list.ts';
import { forEachId } from './several.ts';
import { facts } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

const SCOPES = ['read', 'operate', 'admin'] as const satisfies readonly KeyScope[];
const UNIT_SECONDS: Record<string, number> = { h: 3600, d: 86_400, w: 604_800 };

const KEYS: List<KeyView> = {
  name: 'keys',
  description: 'show the named keys of the API, without their secrets',
  page: client => page => client.keys(page),
  columns: keyColumns,
  none: 'no keys besides the token in the data folder: "servent keys create NAME" creates one',
};

type CreateFlags = ClientFlags & { scope: KeyScope[]; from: string[]; expires?: string };

export function keysCommand(terminal: Terminal): Command {
  const command = listCommand(terminal, KEYS);
  command.addCommand(
    clientCommand('create', 'create a key and print its secret, which is shown only once')
      .argument('<name>', 'name of the key')
      .addOption(
        new Option('--scope <scope>', 'permission (repeatable): read (the default), operate, admin')
          .argParser((scope: string, scopes: string[]) => [...scopes, scopeOf(scope)])
          .default([]),
      )
      .option('--from <address>', 'allow calls only from this address or ADDRESS/BITS (repeatable)', collect, [])
      .option('--expires <when>', 'expiry: 12h, 30d, 8w, or a time such as 2027-01-31T00:00:00Z')
      .action(async (name: string, flags: CreateFlags) => {
        const { scope, from, expires } = flags;
        const { client } = await findDaemon(flags, terminal);
        const key = await client.createKey({
          name,
          ...(scope.length === 0 ? {} : { scopes: scope }),
          cidrs: from,
          ...(expires === undefined ? {} : { expiresAt: endOf(expires, Date.now()) }),
        });
        if (flags.json === true) return printJson(terminal, key);
        print(terminal, key.secret);
        note(
          terminal,
          `key ${key.id} for ${key.name}; the secret is not shown again. "servent keys revoke ${key.id}" revokes it`,
        );
      }),
  );
  command.addCommand(
    clientCommand('revoke', 'revoke keys at once')
      .argument('<ids...>', 'as "servent keys" shows them')
      .action((ids: string[], flags: ClientFlags) =>
        forEachId(terminal, flags, ids, 'revoked', (client, id) => client.removeKey({ id })),
      ),
  );
  command.addCommand(
    clientCommand('whoami', 'show the key in use and its permissions').action(async (flags: ClientFlags) => {
      const { client } = await findDaemon(flags, terminal);
      const caller = await client.caller();
      if (flags.json === true) return printJson(terminal, caller);
      const { id, name, scopes, expiresAt } = caller;
      print(
        terminal,
        facts([
          ['key', id === name ? id : `${id} (${name})`],
          ['may', scopes.join(' ')],
          ['until', expiresAt ?? 'revoked'],
        ]),
      );
    }),
  );
  return command;
}

function collect(item: string, items: string[]): string[] {
  return [...items, item];
}

function scopeOf(text: string): KeyScope {
  const found = SCOPES.find(scope => scope === text);
  if (found === undefined) throw usageError(`--scope: expected one of ${SCOPES.join(', ')}, got ${text}`);
  return found;
}

function endOf(text: string, nowMs: number): string {
  const [, amount, unit = ''] = /^(\d{1,5})([hdw])$/.exec(text) ?? [];
  const at = amount === undefined ? Date.parse(text) : nowMs + Number(amount) * (UNIT_SECONDS[unit] ?? 0) * 1000;
  if (Number.isNaN(at)) throw usageError(`--expires: expected 12h, 30d, 8w or a time in ISO 8601, got ${text}`);
  return new Date(at).toISOString();
}
