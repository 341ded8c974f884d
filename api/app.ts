// Builds the koa application of the API: checks Host, Origin and caller, reads the body, runs the operation, answers JSON or a problem document.
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import Koa, { type Context } from 'koa';
import Router from 'koa-router';
import { authenticator, type Caller, isStillGood, type Keyring, LOCAL_CALLER, requireScope } from './auth.ts';
import { answerThenRest, BODY_WAIT_MS, readJson } from './body.ts';
import type { Control } from './control.ts';
import type { Endpoint } from './endpoint.ts';
import { type EndpointName, endpointNames, endpoints } from './endpoints.ts';
import { ApiError, type ApiErrorCode, asApiError, problemOf, type RefusalOf } from './errors.ts';
import { etagOf, hasAlready, requireMatch } from './etag.ts';
import { IdempotencyTable, type Sent } from './idempotency.ts';
import { NOBODY, Operations } from './operations.ts';
import { mountStreams, type StreamSources } from './streams.ts';
import { Throttle } from './throttle.ts';
import { checkHost, checkOrigin, setSafeHeaders } from './web-origin.ts';
import { servePage, type WebPage } from './web-page.ts';

export interface ApiOptions {
  token: string;
  keys?: Keyring;
  /** Accepted host names besides IP addresses and localhost. */
  hostNames?: readonly string[];
  /** Allowed web origins, as `https://HOST:PORT`. */
  corsOrigins?: readonly string[];
  /** Whether a request came over the Unix socket: it is the owner's and needs no token. */
  isLocal?: (request: IncomingMessage) => boolean;
  /** Called for every request with a valid key. */
  onCaller?: (request: IncomingMessage) => void;
  version?: string;
  /** Called for every internal error; the caller gets status 500. */
  onInternalError: (error: unknown, request: string) => void;
  /** Maps errors of the daemon to API errors; an unmapped error is internal. */
  refusalOf?: RefusalOf;
  /** For tests: an answer that does not match its schema is an internal error. */
  checkOutput?: boolean;
  bodyWaitMs?: number;
  throttle?: Throttle;
  counters?: ApiCounters;
  /** Sources of answers that are not one JSON document; absent: no such endpoints. */
  streams?: StreamSources;
  /** The web page; null when it is switched off. */
  page?: () => Promise<WebPage> | null;
}

/** Counts of requests since the start. */
export interface ApiCounters {
  requests: number;
  /** Refused requests by problem code. */
  refused: Partial<Record<ApiErrorCode, number>>;
}

interface Parts {
  options: ApiOptions;
  operations: Operations;
  idempotency: IdempotencyTable;
}

export function createApi(control: Control, options: ApiOptions): Koa {
  const { onInternalError, refusalOf, version = '0', checkOutput = false } = options;
  const app = new Koa();
  app.silent = true; // keeps koa from printing stack traces
  app.on('error', (error: unknown) => {
    if (!isCallerGone(error)) onInternalError(error, 'response');
  });
  app.use(errorBoundary(options));
  app.use(publicPage(options));
  app.use(gate(options));
  const router = new Router({ sensitive: true, strict: true });
  const parts: Parts = {
    options,
    operations: new Operations(control, { version, onInternalError, refusalOf, checkOutput }),
    idempotency: new IdempotencyTable(),
  };
  for (const name of endpointNames) mount(router, name, parts);
  if (options.streams !== undefined)
    mountStreams(router, options.streams, (ctx, scope) => {
      const caller = callerOf(ctx);
      requireScope(caller, scope);
      return { id: caller.id, mayListen: () => isStillGood(caller, options.keys) };
    });
  app.use(router.routes());
  app.use(answerUnrouted);
  return app;
}

/** Whether the client closed the connection: the normal end of an event stream. */
function isCallerGone(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE', 'ECONNABORTED'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function errorBoundary({ onInternalError, refusalOf, counters }: ApiOptions): Koa.Middleware {
  return async (ctx, next) => {
    if (counters !== undefined) counters.requests++;
    setSafeHeaders(ctx);
    try {
      requireTarget(ctx);
      await next();
    } catch (thrown) {
      const error = asApiError(thrown, mistake => onInternalError(mistake, `${ctx.method} ${ctx.url}`), refusalOf);
      if (counters !== undefined) counters.refused[error.code] = (counters.refused[error.code] ?? 0) + 1;
      answerProblem(ctx, error);
    }
  };
}

/** Rejects an unparsable request target, such as `GET http://[::bad/`. */
function requireTarget(ctx: Context): void {
  try {
    void ctx.path;
  } catch (cause) {
    throw new ApiError('INVALID', 'the request target is not a valid URL: send a path', { cause });
  }
}

function answerProblem(ctx: Context, error: ApiError): void {
  const problem = problemOf(error);
  const text = JSON.stringify(problem);
  ctx.status = problem.status;
  ctx.body = text;
  ctx.set('Content-Type', 'application/problem+json');
  ctx.set('Cache-Control', 'no-store');
  if (error.code === 'UNAUTHORIZED') ctx.set('WWW-Authenticate', 'Bearer realm="servent"');
  if (error.retryAfter !== null) ctx.set('Retry-After', String(error.retryAfter));
  if (error.code === 'BODY_TOO_LARGE' || error.code === 'TOO_SLOW') ctx.set('Connection', 'close');
  if (error.code !== 'BODY_TOO_LARGE') return;
  ctx.body = Readable.from(answerThenRest(text, ctx.req)); // closing during an upload resets the connection and loses the answer
  ctx.length = Buffer.byteLength(text);
}

const openPaths = new Set(
  endpointNames
    .map(name => endpoints[name] as Endpoint)
    .filter(({ scope }) => scope === 'open')
    .map(({ path }) => path),
);

/** Serves the web page without a token; the page asks for it. */
function publicPage({ page, hostNames }: ApiOptions): Koa.Middleware {
  const names = allowedNames(hostNames);
  return async (ctx, next) => {
    const files = ctx.path === '/' || ctx.path.startsWith('/web/') || ctx.path.endsWith('.js') ? page?.() : null;
    if (files != null) {
      checkHost(ctx, names);
      if (servePage(ctx, await files)) return;
    }
    await next();
  };
}

const allowedNames = (names: readonly string[] = []): ReadonlySet<string> =>
  new Set(names.map(name => name.toLowerCase()));

/** Checks the caller before routing, so that paths are not revealed without a key. */
function gate({ token, keys, hostNames, corsOrigins = [], isLocal, onCaller, throttle }: ApiOptions): Koa.Middleware {
  const authenticate = authenticator({
    token,
    throttle: throttle ?? new Throttle(),
    ...(keys === undefined ? {} : { keys }),
  });
  const names = allowedNames(hostNames);
  const origins = new Set(corsOrigins);
  return (ctx, next) => {
    if (openPaths.has(ctx.path)) return next();
    if (isLocal?.(ctx.req) === true) ctx.state['caller'] = LOCAL_CALLER;
    else {
      checkHost(ctx, names);
      if (checkOrigin(ctx, origins)) return undefined;
      ctx.state['caller'] = authenticate(ctx.get('Authorization'), ctx.req.socket.remoteAddress ?? '');
      onCaller?.(ctx.req);
    }
    return next();
  };
}

const callerOf = (ctx: Context): Caller => (ctx.state['caller'] as Caller | undefined) ?? NOBODY;

function mount(router: Router, name: EndpointName, parts: Parts): void {
  const endpoint: Endpoint = endpoints[name];
  router.register(endpoint.path, [endpoint.method.toLowerCase()], async ctx => {
    // Checked before the body is read.
    if (endpoint.scope !== 'open') requireScope(callerOf(ctx), endpoint.scope);
    const body = endpoint.body === null ? undefined : await readJson(ctx.req, parts.options.bodyWaitMs ?? BODY_WAIT_MS);
    const run = () => answerOf(name, { params: ctx.params as unknown, query: ctx.query, body }, ctx, parts);
    const key = endpoint.method === 'POST' ? ctx.get('Idempotency-Key') : '';
    const sent = key === '' ? await run() : await once(ctx, key, [name, body], run, parts);
    send(ctx, sent);
  });
}

interface Request {
  params: unknown;
  query: unknown;
  body: unknown;
}

async function answerOf(name: EndpointName, request: Request, ctx: Context, { operations }: Parts): Promise<Sent> {
  const endpoint: Endpoint = endpoints[name];
  const { ifMatch } = endpoint;
  if (ifMatch !== null && ctx.get('If-Match') !== '') {
    const { output } = await operations.run(ifMatch as EndpointName, {}, callerOf(ctx));
    requireMatch(ctx.get('If-Match'), etagOf(JSON.stringify(output)));
  }
  const { status, output } = await operations.run(name, request, callerOf(ctx));
  return {
    status,
    text: output === undefined ? null : JSON.stringify(output),
    location: status === 201 ? locationOf(endpoint, output) : null,
  };
}

async function once(
  ctx: Context,
  key: string,
  call: unknown,
  run: () => Promise<Sent>,
  { idempotency }: Parts,
): Promise<Sent> {
  const sent = await idempotency.once(callerOf(ctx).id, key, JSON.stringify(call), run);
  if (sent.replayed) ctx.set('Idempotency-Replayed', 'true');
  return sent;
}

function send(ctx: Context, { status, text, location }: Sent): void {
  ctx.status = status;
  if (location !== null) ctx.set('Location', location);
  if (text === null) {
    ctx.body = null; // koa answers 204 for null
    return;
  }
  ctx.body = text;
  ctx.set('Content-Type', 'application/json');
  if (status !== 200 || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return;
  const etag = etagOf(text);
  ctx.set('ETag', etag);
  ctx.set('Cache-Control', 'private, no-cache');
  if (hasAlready(ctx.get('If-None-Match'), etag)) {
    ctx.status = 304;
    ctx.body = null;
  }
}

const paths = new Set(endpointNames.map(name => endpoints[name].path as string));

/** Path of the created object. */
function locationOf({ path }: Endpoint, output: unknown): string | null {
  const { id } = (output ?? {}) as { id?: unknown };
  return typeof id === 'string' && paths.has(`${path}/:id`) ? `${path}/${encodeURIComponent(id)}` : null;
}

function answerUnrouted(ctx: Context): void {
  const matched = (ctx as Context & { matched?: readonly { methods: string[] }[] }).matched ?? [];
  const methods = [...new Set(matched.flatMap(layer => layer.methods))];
  if (methods.length === 0) throw new ApiError('NOT_FOUND', `there is nothing at ${ctx.path}`);
  if (methods.includes(ctx.method)) return;
  ctx.set('Allow', [...methods, 'OPTIONS'].join(', '));
  if (ctx.method !== 'OPTIONS')
    throw new ApiError('METHOD_NOT_ALLOWED', `${ctx.path} takes ${methods.join(', ')}, not ${ctx.method}`);
  ctx.status = 204;
}
