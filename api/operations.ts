// Runs an operation for a caller, over HTTP or in a bulk call: checks scope and input, calls the handler, checks the answer.
import { allows, type Caller, requireScope } from './auth.ts';
import type { Control } from './control.ts';
import type { Endpoint } from './endpoint.ts';
import { type EndpointName, endpointNames, endpoints, type Handlers, type OutputOf } from './endpoints.ts';
import { ApiError, asApiError, problemOf, type RefusalOf } from './errors.ts';
import { chosen } from './fields.ts';
import { checkedInput, partsOf, routeOf, type Values } from './input.ts';
import { idBegunWith, mayBegin, type Named } from './prefix.ts';

export interface OperationsOptions {
  /** Version of the program, for the OpenAPI document. */
  version: string;
  /** Called for every internal error; the caller gets status 500. */
  onInternalError: (error: unknown, doing: string) => void;
  refusalOf?: RefusalOf | undefined;
  /** For tests: an answer that does not match its schema is an internal error. */
  checkOutput: boolean;
}

export interface Given {
  params?: unknown;
  query?: unknown;
  body?: unknown;
}

export interface Outcome {
  status: number;
  /** undefined: no body. */
  output: unknown;
}

type Handle = (input: Values, caller: Caller) => unknown;

/** Caller of an endpoint without a scope. */
export const NOBODY: Caller = { id: 'nobody', name: 'nobody', scopes: [], expiresAt: null };

/** Operations that depend on their own HTTP call. */
const NOT_IN_BULK: ReadonlySet<string> = new Set<EndpointName>(['bulk', 'openapi', 'createKey']);

/** Shortest id prefix for a change: a repeated removal must not match the next object with the same short prefix. */
const ACTED_ON_CHARACTERS_MIN = 4;

/** List with the ids, by path. */
const listNames: ReadonlyMap<string, EndpointName> = new Map(
  endpointNames.filter(name => endpoints[name].method === 'GET').map(name => [endpoints[name].path, name]),
);

export class Operations {
  readonly #options: OperationsOptions;
  readonly #handles: ReadonlyMap<EndpointName, Handle>;

  constructor(control: Control, options: OperationsOptions) {
    this.#options = options;
    const handlers: Handlers = control;
    const own: Partial<Record<EndpointName, Handle>> = {
      openapi: () => this.#openapi(),
      bulk: (input, caller) => this.#bulk(input, caller),
      caller: (_, { id, name, scopes, expiresAt }) => ({ id, name, scopes, expiresAt }),
    };
    this.#handles = new Map(
      endpointNames.map(name => {
        const handler = (handlers as Partial<Record<EndpointName, unknown>>)[name] as Handle | undefined;
        return [name, own[name] ?? ((input: Values) => handler?.call(handlers, input, NOBODY))];
      }),
    );
  }

  /** Throws INVALID, FORBIDDEN or the exception of the handler. */
  async run(name: EndpointName, given: Given, caller: Caller): Promise<Outcome> {
    const endpoint: Endpoint = endpoints[name];
    if (endpoint.scope !== 'open') requireScope(caller, endpoint.scope);
    const { params = {}, query = {}, body } = given;
    const input = checkedInput(endpoint, { params, query, body });
    const output = await this.#answer(name, endpoint, input, caller);
    if (endpoint.output === null) return { status: endpoint.success, output: undefined };
    if (this.#options.checkOutput) endpoint.output.parse(output);
    const status = endpoint.statusFor?.(output as never) ?? endpoint.success;
    const { fields } = input;
    return { status, output: Array.isArray(fields) ? narrowed(output, fields as string[]) : output };
  }

  /** Runs the handler; on NOT_FOUND retries with the object whose id begins with the given one. */
  async #answer(name: EndpointName, { method, path }: Endpoint, input: Values, caller: Caller): Promise<unknown> {
    const handle = this.#handles.get(name);
    try {
      return await handle?.(input, caller);
    } catch (error) {
      const { id: given } = input;
      if (!(error instanceof ApiError) || error.code !== 'NOT_FOUND') throw error;
      if (typeof given !== 'string' || !mayBegin(given)) throw error;
      const [list = '', rest] = path.split('/:id');
      const lister = rest === undefined ? undefined : listNames.get(list);
      if (lister === undefined) throw error;
      const { items } = (await this.#handles.get(lister)?.({ limit: Number.POSITIVE_INFINITY }, caller)) as {
        items: readonly Named[];
      };
      const id = idBegunWith(given, items, list.split('/').at(-1) ?? '');
      if (id === null || id === given) throw error;
      if (method !== 'GET' && given.length < ACTED_ON_CHARACTERS_MIN)
        throw new ApiError(
          'NOT_FOUND',
          `${error.message}: to change or remove ${id}, give at least its first ${ACTED_ON_CHARACTERS_MIN} characters`,
        );
      return handle?.({ ...input, id }, caller);
    }
  }

  async #openapi(): Promise<unknown> {
    const { openApiDocument } = await import('./openapi.ts'); // rarely used
    return openApiDocument(this.#options.version);
  }

  async #bulk(input: Values, caller: Caller): Promise<OutputOf<'bulk'>> {
    const items: OutputOf<'bulk'>['items'] = [];
    for (const { operation, input: given } of input['operations'] as { operation: string; input: Values }[]) {
      try {
        const name = bulkName(operation, caller);
        const { status, output } = await this.run(name, partsOf(routeOf(endpoints[name]), given), caller);
        items.push({ operation, status, ...(output === undefined ? {} : { body: output }) });
      } catch (error) {
        const { onInternalError, refusalOf } = this.#options;
        const problem = problemOf(
          asApiError(error, mistake => onInternalError(mistake, `bulk ${operation}`), refusalOf),
        );
        items.push({ operation, status: problem.status, problem });
      }
    }
    return { items };
  }
}

function bulkName(operation: string, caller: Caller): EndpointName {
  const possible = endpointNames.filter(name => !NOT_IN_BULK.has(name));
  const name = possible.find(known => known === operation);
  if (name !== undefined) return name;
  const allowed = possible.filter(known => allows(caller, endpoints[known].scope));
  const detail = `expected one of ${allowed.join(', ')}`;
  throw new ApiError('INVALID', `operation: ${detail}`, { faults: [{ in: 'body', field: 'operation', detail }] });
}

function narrowed(output: unknown, fields: readonly string[]): unknown {
  const { items, ...rest } = output as { items: unknown[] };
  return { items: items.map(item => chosen(item, fields)), ...rest };
}
