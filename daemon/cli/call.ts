// call: any operation of the API by name, so that nothing it can do is out of reach of the command line.
import type { Command } from 'commander';
import type { Client } from '../../api/client.ts';
import { type EndpointName, endpointNames } from '../../api/endpoints.ts';
import { nearest } from '../settings/faults.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { usageError } from './failure.ts';
import { printJson, type Terminal } from './terminal.ts';

export function callCommand(terminal: Terminal): Command {
  return clientCommand('call', 'make any call of the API, by the name of the operation in docs/api.md')
    .argument('<operation>', 'for example changeDownload')
    .argument('[fields...]', 'NAME=VALUE; the value is JSON if it can be read as such, else text')
    .action(async (operation: string, fields: string[], flags: ClientFlags) => {
      if (!isOperation(operation)) {
        const near = nearest(operation, endpointNames);
        throw usageError(`there is no operation ${operation}${near === null ? '' : `; did you mean ${near}?`}`);
      }
      const { client } = await findDaemon(flags, terminal);
      const call = client[operation] as (input: object) => ReturnType<Client[EndpointName]>;
      printJson(terminal, (await call(Object.fromEntries(fields.map(fieldOf)))) ?? {});
    });
}

function isOperation(name: string): name is EndpointName {
  return (endpointNames as string[]).includes(name);
}

function fieldOf(text: string): [string, unknown] {
  const at = text.indexOf('=');
  if (at <= 0) throw usageError(`expected NAME=VALUE, got ${JSON.stringify(text)}`);
  const value = text.slice(at + 1);
  try {
    return [text.slice(0, at), JSON.parse(value)];
  } catch {
    return [text.slice(0, at), value]; // plain text needs no quotes
  }
}
