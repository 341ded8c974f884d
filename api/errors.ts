// What the API refuses with: one table of stable codes, and RFC 9457 problem documents made from it.
import { CodedError, ProtocolError } from '../protocol/errors.ts';

const PROBLEMS = {
  INVALID: { status: 400, title: 'The request is not valid' },
  MALFORMED_JSON: { status: 400, title: 'The body is not JSON' },
  UNAUTHORIZED: { status: 401, title: 'A valid token is needed' },
  FORBIDDEN: { status: 403, title: 'The key does not allow it' },
  FORBIDDEN_HOST: { status: 403, title: 'The Host header names somebody else' },
  FORBIDDEN_ORIGIN: { status: 403, title: 'The call comes from a web page that is not allowed to' },
  NOT_FOUND: { status: 404, title: 'There is no such thing' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The path does not take this method' },
  TOO_SLOW: { status: 408, title: 'The body took too long' },
  CONFLICT: { status: 409, title: 'The present state does not allow it' },
  AMBIGUOUS: { status: 409, title: 'The beginning of an id fits several' },
  STALE: { status: 412, title: 'It has changed meanwhile' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The body must be application/json' },
  EXPECTATION_FAILED: { status: 417, title: 'The header Expect asks for too much' },
  UNREACHABLE: { status: 422, title: 'The other side could not be reached' },
  REFUSED: { status: 422, title: 'The other side refused' },
  KEY_REUSED: { status: 422, title: 'The idempotency key was used for something else' },
  TOO_MANY_FAILURES: { status: 429, title: 'Too many wrong tokens' },
  TOO_MANY: { status: 429, title: 'There are too many already' },
  INTERNAL: { status: 500, title: 'The daemon made a mistake' },
  STORAGE_FAILED: { status: 500, title: 'The disk or the database failed' },
  STORAGE_FORBIDDEN: { status: 503, title: 'The disk does not let the daemon write' },
  STOPPING: { status: 503, title: 'The daemon is stopping' },
  STORAGE_FULL: { status: 507, title: 'The disk is full' },
} as const;

export type ApiErrorCode = keyof typeof PROBLEMS;

export interface FieldFault {
  in: 'path' | 'query' | 'header' | 'body';
  /** Dotted, for example `sources.0.address`; empty for the whole. */
  field: string;
  detail: string;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ApiErrorCode;
  field?: string;
  errors?: FieldFault[];
}

interface ApiErrorOptions {
  faults?: readonly FieldFault[];
  retryAfter?: number;
  cause?: unknown;
}

/** A refusal that the caller can understand and act upon. `detail` is one sentence that says what to do. */
export class ApiError extends CodedError<ApiErrorCode> {
  readonly faults: readonly FieldFault[];
  /** When it may work, in seconds from now. */
  readonly retryAfter: number | null;

  constructor(code: ApiErrorCode, detail: string, options: ApiErrorOptions = {}) {
    super(code, detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryAfter = options.retryAfter ?? null;
    this.faults = options.faults ?? [];
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }
}

/** What a daemon knows of its own errors: what to tell the caller, or null for a mistake. */
export type RefusalOf = (error: unknown) => ApiError | null;

/** Anything thrown as a refusal; `onInternalError` is told of what was no refusal. */
export function asApiError(error: unknown, onInternalError: (error: unknown) => void, refusalOf?: RefusalOf): ApiError {
  if (error instanceof ApiError) return error;
  // Well-formed for the schema, not for Gnutella: a magnet link without a hash, an address that is none.
  if (error instanceof ProtocolError) return new ApiError('INVALID', error.message, { cause: error });
  const refusal = refusalOf?.(error) ?? null;
  if (refusal !== null) return refusal;
  onInternalError(error);
  return new ApiError('INTERNAL', 'this is a bug: the log has the details', { cause: error });
}

/** A well-formed request that Control cannot accept because of one field of its body. */
export function invalid(field: string, detail: string, cause?: unknown): ApiError {
  return new ApiError('INVALID', `${field}: ${detail}`, { faults: [{ in: 'body', field, detail }], cause });
}

export function notFound(what: string, id: string): ApiError {
  return new ApiError('NOT_FOUND', `there is no ${what} ${JSON.stringify(id)}`);
}

export function problemOf(error: ApiError): Problem {
  const { status, title } = PROBLEMS[error.code];
  const [first] = error.faults;
  return {
    type: problemType(error.code),
    title,
    status,
    detail: error.message,
    code: error.code,
    ...(first === undefined ? {} : { field: first.field, errors: [...error.faults] }),
  };
}

/** `urn:servent:problem:not-found`: names the kind of problem, and is the same in every release. */
export function problemType(code: ApiErrorCode): string {
  return `urn:servent:problem:${code.toLowerCase().replaceAll('_', '-')}`;
}

/** For the documentation. */
export const problemKinds = Object.entries(PROBLEMS).map(([code, { status, title }]) => ({
  code: code as ApiErrorCode,
  type: problemType(code as ApiErrorCode),
  status,
  title,
}));
