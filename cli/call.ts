// call, bulk, openapi: direct access to every operation of the API.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Client } from '../api/client.ts';
import type { EndpointName } from '../api/endpoints.ts';
import { routes } from '../api/outline.ts';
import { version } from '../api/version.ts';
import { nearest } from '../settings/faults.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { CommandError, usageError } from './failure.ts';
import { print, printJson, type Terminal } from './terminal.ts';

export function callCommand(terminal: Terminal): Command {
  return clientCommand('call', 'call any operation of the API by its name in docs/api.md')
    .argument('<operation>', 'for example changeDownload')
    .argument('[fields...]', 'NAME=VALUE; the value is parsed as JSON, or taken as text when it is not JSON')
    .action(async (operation: string, fields: string[], flags: ClientFlags) => {
      if (!isOperation(operation)) {
        const near = nearest(operation, Object.keys(routes));
        throw usageError(`there is no operation ${operation}${near === null ? '' : `; did you mean ${near}?`}`);
      }
      const input = Object.fromEntries(fields.map(fieldOf));
      await checkInput(operation, input);
      const { client } = await findDaemon(flags, terminal);
      const call = client[operation] as (input: object) => ReturnType<Client[EndpointName]>;
      printJson(terminal, (await call(input)) ?? {});
    });
}

/** Validates the input before it is sent; the usage error lists every invalid field. */
async function checkInput(operation: EndpointName, input: Record<string, unknown>): Promise<void> {
  const [{ endpoints }, { checkedInput, partsOf, routeOf }, { ApiError }] = await Promise.all([
    import('../api/endpoints.ts'),
    import('../api/input.ts'),
    import('../api/errors.ts'),
  ]);
  const endpoint = endpoints[operation];
  const { params, query, body } = partsOf(routeOf(endpoint), input);
  const texts = (values: object): object =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, asText(value)]));
  try {
    checkedInput(endpoint, { params: texts(params), query: texts(query), body });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const faults = error.faults.map(({ field, detail }) =>
      /received undefined$/.test(detail) ? `${field} is missing` : `${field === '' ? '' : `${field}: `}${detail}`,
    );
    throw usageError(`${operation}: ${faults.join('; ')}`);
  }
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Most bytes of a file of operations; the API accepts 1 MiB. */
const BULK_BYTES_MAX = 1 << 20;

export function bulkCommand(terminal: Terminal): Command {
  return clientCommand('bulk', 'run operations of the API in order; one that fails does not undo the others')
    .argument('<file>', 'one JSON object {"operation", "input"} per line; "-" is standard input')
    .action(async (file: string, flags: ClientFlags) => {
      const text = file === '-' ? await inputOf(terminal) : await readFile(resolve(terminal.cwd, file), 'utf8');
      const operations = text.split('\n').flatMap((line, i) => (line.trim() === '' ? [] : [operationOf(line, i + 1)]));
      if (operations.length === 0) throw usageError(`${file}: no operations`);
      const { client } = await findDaemon(flags, terminal);
      const { items } = await client.bulk({ operations });
      if (flags.json === true) printJson(terminal, { items });
      else
        for (const { operation, status, problem } of items)
          print(terminal, `${status}  ${operation}${problem === undefined ? '' : `: ${problem.detail}`}`);
      const failed = items.filter(({ problem }) => problem !== undefined).length;
      if (failed > 0) throw new CommandError(`${failed} of ${items.length} failed`);
    });
}

interface Operation {
  operation: string;
  input?: Record<string, unknown>;
}

function operationOf(line: string, number: number): Operation {
  const wanted = `line ${number}: expected {"operation": NAME, "input": {…}}`;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw usageError(`${wanted}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== 'object' || value === null || !('operation' in value) || typeof value.operation !== 'string')
    throw usageError(wanted);
  return value as Operation;
}

async function inputOf({ stdin = process.stdin }: Terminal): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const part = Buffer.from(chunk as Buffer);
    bytes += part.length;
    if (bytes > BULK_BYTES_MAX) throw usageError(`more than ${BULK_BYTES_MAX} bytes of operations: split the file`);
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function openapiCommand(terminal: Terminal): Command {
  return clientCommand('openapi', 'print the OpenAPI document of the API; without --api no daemon is needed').action(
    async (flags: ClientFlags) => {
      if (flags.api !== undefined)
        return printJson(terminal, await (await findDaemon(flags, terminal)).client.openapi());
      const { openApiDocument } = await import('../api/openapi.ts');
      printJson(terminal, openApiDocument(version));
    },
  );
}

function isOperation(name: string): name is EndpointName {
  return Object.hasOwn(routes, name);
}

function fieldOf(text: string): [string, unknown] {
  const at = text.indexOf('=');
  if (at <= 0) throw usageError(`expected NAME=VALUE, got ${JSON.stringify(text)}`);
  const value = text.slice(at + 1);
  try {
    return [text.slice(0, at), JSON.parse(value)];
  } catch {
    return [text.slice(0, at), value]; // not JSON: plain text
  }
}
