// The koa application: Host check, token, body, validation, Control, JSON; every refusal a problem document.
import Koa, { type Context } from 'koa';
import Router from 'koa-router';
import type { z } from 'zod';
import { ProtocolError } from '../protocol/errors.ts';
import { checkHost, tokenChecker } from './auth.ts';
import { BODY_WAIT_MS, readJson } from './body.ts';
import type { Control } from './control.ts';
import { type Endpoint, type EndpointName, endpointNames, endpoints, type Handlers } from './endpoints.ts';
import { ApiError, type FieldFault, problemOf } from './errors.ts';

export interface ApiOptions {
  token: string;
  /** Host names to answer to besides addresses and localhost. */
  hostNames?: readonly string[];
  /** Told of every mistake of ours; the caller only sees a 500. */
  onMistake: (error: unknown, request: string) => void;
  /** Tests: an answer that does not fit its schema is a mistake. */
  checkOutput?: boolean;
  bodyWaitMs?: number;
}

export function createApi(control: Control, options: ApiOptions): Koa {
  const app = new Koa();
  app.silent = true; // koa prints stacks itself otherwise
  app.on('error', (error: unknown) => options.onMistake(error, 'response'));
  app.use(errorBoundary(options));
  app.use(gate(options));
  const router = new Router({ sensitive: true, strict: true });
  const handlers: Handlers = control;
  for (const name of endpointNames) mount(router, name, handlers, options);
  app.use(router.routes());
  app.use(refuseUnrouted);
  return app;
}

function errorBoundary(options: ApiOptions): Koa.Middleware {
  return async (ctx, next) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.set('X-Content-Type-Options', 'nosniff');
    try {
      await next();
    } catch (error) {
      answerProblem(ctx, asApiError(error, ctx, options));
    }
  };
}

function asApiError(error: unknown, ctx: Context, options: ApiOptions): ApiError {
  if (error instanceof ApiError) return error;
  // Well-formed for the schema, not for Gnutella: a magnet link without a hash, an address that is none.
  if (error instanceof ProtocolError) return new ApiError('INVALID', error.message, { cause: error });
  options.onMistake(error, `${ctx.method} ${ctx.path}`);
  return new ApiError('INTERNAL', 'this is a bug: the log has the details', { cause: error });
}

function answerProblem(ctx: Context, error: ApiError): void {
  const problem = problemOf(error);
  ctx.status = problem.status;
  ctx.body = JSON.stringify(problem);
  ctx.set('Content-Type', 'application/problem+json');
  if (error.code === 'UNAUTHORIZED') ctx.set('WWW-Authenticate', 'Bearer realm="servent"');
  // The rest of the body is still on its way and nobody will read it.
  if (error.code === 'BODY_TOO_LARGE' || error.code === 'TOO_SLOW') ctx.set('Connection', 'close');
}

const openPaths = new Set(
  endpointNames
    .map(name => endpoints[name])
    .filter(isOpen)
    .map(({ path }) => path as string),
);

function isOpen({ scope }: Pick<Endpoint, 'scope'>): boolean {
  return scope === 'open';
}

/** Before routing, so that a stranger does not even learn which paths exist. */
function gate({ token, hostNames = [] }: ApiOptions): Koa.Middleware {
  const carriesToken = tokenChecker(token);
  const allowed = new Set(hostNames.map(name => name.toLowerCase()));
  return (ctx, next) => {
    if (openPaths.has(ctx.path)) return next();
    checkHost(ctx.get('Host'), allowed);
    if (!carriesToken(ctx.get('Authorization'))) {
      throw new ApiError(
        'UNAUTHORIZED',
        'send `Authorization: Bearer TOKEN`; the token is in the file api-token of the data folder',
      );
    }
    return next();
  };
}

function mount(router: Router, name: EndpointName, handlers: Handlers, options: ApiOptions): void {
  const endpoint: Endpoint = endpoints[name];
  const handle = (handlers[name] as (input: unknown) => unknown).bind(handlers);
  router.register(endpoint.path, [endpoint.method.toLowerCase()], async ctx => {
    const input = await readInput(endpoint, ctx, options);
    const output = await handle(input);
    if (options.checkOutput === true) endpoint.output?.parse(output);
    ctx.status = endpoint.statusFor?.(output as never) ?? endpoint.success;
    ctx.body = endpoint.output === null ? null : output;
    // koa turns an empty body into 204 by itself, and only then.
    if (endpoint.output !== null) ctx.set('Content-Type', 'application/json');
  });
}

async function readInput(
  endpoint: Endpoint,
  ctx: Context & { params: unknown },
  options: ApiOptions,
): Promise<unknown> {
  const faults: FieldFault[] = [];
  const params = check(endpoint.params, ctx.params, 'path', faults);
  const query = check(endpoint.query, ctx.query, 'query', faults);
  const body =
    endpoint.body === null
      ? null
      : check(endpoint.body, await readJson(ctx.req, options.bodyWaitMs ?? BODY_WAIT_MS), 'body', faults);
  const [first] = faults;
  if (first !== undefined) {
    const field = first.field === '' ? first.in : first.field;
    throw new ApiError('INVALID', `${field}: ${first.detail}`, { faults });
  }
  return { ...params, ...query, ...body };
}

type Values = Record<string, unknown>;

function check(schema: z.ZodType | null, value: unknown, where: FieldFault['in'], faults: FieldFault[]): Values | null {
  if (schema === null) return null;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data as Values;
  for (const issue of parsed.error.issues) faults.push(...faultsOf(issue, where));
  return null;
}

const FAULTS_MAX = 20;

function faultsOf(issue: z.core.$ZodIssue, where: FieldFault['in']): FieldFault[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, FAULTS_MAX).map(key => ({
      in: where,
      field: [...path, key].join('.'),
      detail: 'there is no such field',
    }));
  }
  if (issue.code === 'invalid_union') {
    const inner = closestBranch(issue.errors);
    if (inner !== null)
      return inner.flatMap(deeper => faultsOf({ ...deeper, path: [...issue.path, ...deeper.path] }, where));
  }
  return [{ in: where, field: path.join('.'), detail: issue.message }];
}

/** Of the alternatives that all failed, the one with the least to complain about: what the caller most likely meant. */
function closestBranch(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | null {
  const weight = (issues: readonly z.core.$ZodIssue[]): number =>
    issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0);
  return branches.reduce<readonly z.core.$ZodIssue[] | null>(
    (best, branch) => (branch.length > 0 && (best === null || weight(branch) < weight(best)) ? branch : best),
    null,
  );
}

function refuseUnrouted(ctx: Context): void {
  const matched = (ctx as Context & { matched?: readonly { methods: string[] }[] }).matched ?? [];
  const methods = [...new Set(matched.flatMap(layer => layer.methods))];
  if (methods.length === 0) throw new ApiError('NOT_FOUND', `there is nothing at ${ctx.path}`);
  if (methods.includes(ctx.method)) return;
  ctx.set('Allow', methods.join(', '));
  throw new ApiError('METHOD_NOT_ALLOWED', `${ctx.path} takes ${methods.join(', ')}, not ${ctx.method}`);
}
