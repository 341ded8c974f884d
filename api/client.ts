// Client of the API with one function per endpoint, for the command line, the dashboard and the tests.
import type { Page } from './control.ts';
import type { CallOf, EndpointName, OutputOf } from './endpoints.ts';
import type { Problem } from './errors.ts';
import { exchange, type HttpReply } from './exchange.ts';
import { partsOf, type Route } from './input.ts';
import { routes } from './outline.ts';

/** The daemon refused the call. */
export class RefusedError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = 'RefusedError';
    this.problem = problem;
  }
}

/** No answer came, or the answer was not from a servent daemon. */
export class NoAnswerError extends Error {
  readonly url: string;

  constructor(url: string, detail: string, cause?: unknown) {
    super(detail, { cause });
    this.name = 'NoAnswerError';
    this.url = url;
  }
}

type Call<N extends EndpointName> =
  unknown extends CallOf<N>
    ? () => Promise<OutputOf<N>>
    : Partial<CallOf<N>> extends CallOf<N>
      ? (input?: CallOf<N>) => Promise<OutputOf<N>>
      : (input: CallOf<N>) => Promise<OutputOf<N>>;

export type Client = { readonly [N in EndpointName]: Call<N> };

export interface ClientOptions {
  /** `http://HOST:PORT` or `https://…`, with or without a path below which the API lives; `unix:PATH` for the socket. */
  url: string;
  /** Empty: no token is sent, as the Unix socket needs none. */
  token: string;
  /** PEM certificates to trust besides those of the system. */
  ca?: string;
  /** Deadline of each call. */
  waitMs?: number;
  signal?: AbortSignal;
  /** Called before each call; an exception cancels the call. */
  onCall?: (call: { method: string; url: string; body: string | null }) => void;
}

const WAIT_MS = 30_000;

export function createClient(options: ClientOptions): Client {
  const calls = Object.entries(routes).map(([name, route]) => [
    name,
    (input?: object) => call(route, { ...input }, options),
  ]);
  return Object.fromEntries(calls) as Client;
}

async function call(route: Route, input: Record<string, unknown>, options: ClientOptions): Promise<unknown> {
  const { params, query, body } = partsOf(route, input);
  const path = route.path.replace(/:(\w+)/g, (_, parameter: string) => encodeURIComponent(String(params[parameter])));
  const sent = !route.body ? null : JSON.stringify(body);
  const reply = await ask(route.method, `${path}${queryString(query)}`, sent, 'application/json', options);
  if (reply.status === 204) return undefined;
  const answer = parseJson(reply.text);
  // `ready` answers 503 with its normal document.
  const good = (reply.status >= 200 && reply.status < 300) || (reply.status === 503 && !isProblem(answer));
  if (answer === undefined || !good) throw refusal(options.url, reply);
  return answer;
}

/** Reads an answer in plain text, such as metrics. Throws like a call. */
export async function readText(
  path: string,
  query: Readonly<Record<string, string>>,
  options: ClientOptions,
): Promise<string> {
  const reply = await ask('GET', `${path}${queryString(query)}`, null, '*/*', options);
  if (reply.status !== 200) throw refusal(options.url, reply);
  return reply.text;
}

async function ask(
  method: string,
  path: string,
  body: string | null,
  accept: string,
  options: ClientOptions,
): Promise<HttpReply> {
  options.onCall?.({ method, url: `${options.url.replace(/\/+$/, '')}${path}`, body });
  const signals = [AbortSignal.timeout(options.waitMs ?? WAIT_MS), ...(options.signal ? [options.signal] : [])];
  try {
    return await exchange(options, {
      method,
      path,
      headers: {
        ...credentials(options),
        Accept: accept,
        ...(body === null ? {} : { 'Content-Type': 'application/json' }),
      },
      body,
      signal: AbortSignal.any(signals),
    });
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw new NoAnswerError(options.url, reasonOf(cause), cause);
  }
}

/** Makes the error for an unsuccessful answer. */
export function refusal(url: string, { status, type, text }: HttpReply): RefusedError | NoAnswerError {
  const answer = parseJson(text);
  if (type.startsWith('application/problem+json') && isProblem(answer)) return new RefusedError(answer);
  return new NoAnswerError(url, `answered ${status}, but not as a servent daemon`);
}

export function credentials({ token }: Pick<ClientOptions, 'token'>): Record<string, string> {
  return token === '' ? {} : { Authorization: `Bearer ${token}` };
}

function queryString(values: Record<string, unknown>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values))
    if (value !== undefined && value !== null) query.set(key, String(value));
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller reports it
  }
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && 'detail' in value;
}

/** Describes an error in a few words; takes the text of its innermost cause. */
export function reasonOf(error: unknown): string {
  let reason: unknown = error;
  for (let depth = 0; depth < 4 && reason instanceof Error && reason.cause instanceof Error; depth++)
    reason = reason.cause;
  if (!(reason instanceof Error)) return String(reason);
  if (reason.name === 'TimeoutError') return 'no answer in time';
  const { code } = reason as NodeJS.ErrnoException;
  return reason.message || code || 'no answer';
}

/** Yields the items of a list, page by page, up to `max`. */
export async function* everyItem<T>(
  list: (page: { limit: number; cursor?: string }) => Promise<Page<T>>,
  max = Number.POSITIVE_INFINITY,
): AsyncGenerator<T> {
  let cursor: string | null = null;
  let left = max;
  do {
    const page: Page<T> = await list({ limit: Math.min(1000, left), ...(cursor === null ? {} : { cursor }) });
    yield* page.items;
    left -= page.items.length;
    cursor = page.next;
  } while (cursor !== null && left > 0);
}
