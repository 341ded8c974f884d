// Client of the API for the page. Sends the token in a header, never in a URL.
import type { Method } from '../api/endpoint.ts';
import type { CallOf, EndpointName, OutputOf } from '../api/endpoints.ts';
import type { Problem } from '../api/errors.ts';

/** Paths below /api/v1; a test compares them with the table of endpoints. */
export const CALLS = {
  caller: ['GET', 'caller'],
  status: ['GET', 'status'],
  election: ['GET', 'election'],
  history: ['GET', 'history'],
  dht: ['GET', 'dht'],
  startDhtLookup: ['POST', 'dht/lookups'],
  dhtLookup: ['GET', 'dht/lookups/:id'],
  analyses: ['GET', 'analyses'],
  analysis: ['GET', 'analyses/:id'],
  recordings: ['GET', 'recordings'],
  peers: ['GET', 'peers'],
  connect: ['POST', 'peers'],
  disconnect: ['DELETE', 'peers/:id'],
  queries: ['GET', 'queries'],
  searches: ['GET', 'searches'],
  startSearch: ['POST', 'searches'],
  removeSearch: ['DELETE', 'searches/:id'],
  explainSearch: ['GET', 'searches/:id/explanation'],
  results: ['GET', 'searches/:id/results'],
  savedSearches: ['GET', 'saved-searches'],
  runSavedSearch: ['POST', 'saved-searches/:id/run'],
  removeSavedSearch: ['DELETE', 'saved-searches/:id'],
  downloads: ['GET', 'downloads'],
  startDownload: ['POST', 'downloads'],
  changeDownload: ['PATCH', 'downloads/:id'],
  removeDownload: ['DELETE', 'downloads/:id'],
  verifyDownload: ['POST', 'downloads/:id/verify'],
  downloadChunks: ['GET', 'downloads/:id/chunks'],
  clearDownloads: ['DELETE', 'downloads'],
  explainDownload: ['GET', 'downloads/:id/explanation'],
  uploads: ['GET', 'uploads'],
  pastTransfers: ['GET', 'history/transfers'],
  cancelUpload: ['DELETE', 'uploads/:id'],
  files: ['GET', 'library/files'],
  folders: ['GET', 'library/folders'],
  shareFolder: ['POST', 'library/folders'],
  previewFolder: ['POST', 'library/preview'],
  unshareFolder: ['DELETE', 'library/folders/:id'],
  rescan: ['POST', 'library/rescan'],
  cancelHashing: ['DELETE', 'library/hashing'],
} as const satisfies Partial<Record<EndpointName, readonly [Method, string]>>;

export type CallName = keyof typeof CALLS;
/** A connect waits for the peer's handshake, an analysis takes up to 60 s. */
const WAIT_MS = 70_000;

/** The daemon refused the call; the message says why and what to do. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;
  readonly code: string;

  constructor(status: number, { code, detail }: Pick<Problem, 'code' | 'detail'>) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

/** No answer came, or the answer was not from the daemon. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

export interface Access {
  /** URL of the API, ending in `/api/v1/`. */
  readonly base: string;
  readonly token: string;
}

export interface Wanted {
  readonly url: string;
  readonly method: string;
  readonly body: string | null;
}

/** Builds the request of a call: ids go into the path, the rest into query or body. */
export function wanted(base: string, name: CallName, input: Readonly<Record<string, unknown>>): Wanted {
  const [method, path] = CALLS[name];
  const { id, ...rest } = input;
  const inPath = path.includes(':id');
  const url = new URL(path.replace(':id', encodeURIComponent(String(id))), base);
  const given = Object.entries(inPath ? rest : input).filter(([, value]) => value !== undefined && value !== null);
  const takesBody = method === 'PATCH' || (method === 'POST' && name !== 'rescan' && name !== 'verifyDownload');
  if (!takesBody) for (const [key, value] of given) url.searchParams.set(key, String(value));
  return { url: url.href, method, body: takesBody ? JSON.stringify(Object.fromEntries(given)) : null };
}

/** Throws Refused or NoAnswer. */
export async function call<N extends CallName>(access: Access, name: N, input: CallOf<N>): Promise<OutputOf<N>> {
  const { url, method, body } = wanted(access.base, name, { ...(input as object) });
  const headers = { ...authorization(access), ...(body === null ? {} : { 'Content-Type': 'application/json' }) };
  let response: Response;
  try {
    response = await fetch(url, { method, headers, body, cache: 'no-store', signal: AbortSignal.timeout(WAIT_MS) });
  } catch (cause) {
    throw new NoAnswer('The daemon does not answer.', { cause });
  }
  if (!response.ok) throw await refusal(response);
  return (response.status === 204 ? undefined : await response.json()) as OutputOf<N>;
}

export function authorization({ token }: Access): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

export async function refusal(response: Response): Promise<Refused | NoAnswer> {
  try {
    const problem = (await response.json()) as Partial<Problem>;
    const { code, detail } = problem;
    if (typeof code === 'string' && typeof detail === 'string') return new Refused(response.status, { code, detail });
  } catch {
    // not JSON, so not from the daemon
  }
  return new NoAnswer(`The answer (${response.status}) is not from the daemon.`);
}
