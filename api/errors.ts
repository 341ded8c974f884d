// Error codes of the API in one table, and the RFC 9457 problem documents made from it.
import { CodedError, ProtocolError } from '../protocol/errors.ts';

const PROBLEMS = {
  INVALID: { status: 400, title: 'The request is not valid' },
  MALFORMED_JSON: { status: 400, title: 'The body is not JSON' },
  UNAUTHORIZED: { status: 401, title: 'The token is missing or wrong' },
  FORBIDDEN: { status: 403, title: 'The key does not allow it' },
  FORBIDDEN_HOST: { status: 403, title: 'The Host header names an unknown host' },
  FORBIDDEN_ORIGIN: { status: 403, title: 'The web origin is not allowed' },
  NOT_FOUND: { status: 404, title: 'The object does not exist' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The path does not accept this method' },
  TOO_SLOW: { status: 408, title: 'The body took too long' },
  CONFLICT: { status: 409, title: 'The state of the object does not allow it' },
  AMBIGUOUS: { status: 409, title: 'The id prefix matches several objects' },
  STALE: { status: 412, title: 'The object has changed' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The body must be application/json' },
  RANGE_MISSING: { status: 416, title: 'The bytes are not there' },
  EXPECTATION_FAILED: { status: 417, title: 'The Expect header is not supported' },
  UNREACHABLE: { status: 422, title: 'The peer could not be reached' },
  REFUSED: { status: 422, title: 'The peer refused' },
  KEY_REUSED: { status: 422, title: 'The idempotency key belongs to another call' },
  TOO_MANY_FAILURES: { status: 429, title: 'Too many wrong tokens' },
  TOO_MANY: { status: 429, title: 'A limit is reached' },
  INTERNAL: { status: 500, title: 'Internal error of the daemon' },
  STORAGE_FAILED: { status: 500, title: 'The disk or the database failed' },
  STORAGE_FORBIDDEN: { status: 503, title: 'The daemon may not write to the disk' },
  STOPPING: { status: 503, title: 'The daemon is stopping' },
  STORAGE_FULL: { status: 507, title: 'The disk is full' },
} as const;

export type ApiErrorCode = keyof typeof PROBLEMS;

export interface FieldFault {
  in: 'path' | 'query' | 'header' | 'body';
  /** Dotted path, for example `sources.0.address`; empty: the whole input. */
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

/** Error for the caller. `detail` is one sentence that says what to do. */
export class ApiError extends CodedError<ApiErrorCode> {
  readonly faults: readonly FieldFault[];
  /** Seconds after which a retry may succeed. */
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

/** Maps an error of the daemon to an API error; null: an internal error. */
export type RefusalOf = (error: unknown) => ApiError | null;

/** Turns any thrown value into an ApiError; calls `onInternalError` for unexpected ones. */
export function asApiError(error: unknown, onInternalError: (error: unknown) => void, refusalOf?: RefusalOf): ApiError {
  if (error instanceof ApiError) return error;
  // Valid for the schema but not for Gnutella, such as a magnet link without a hash.
  if (error instanceof ProtocolError) return new ApiError('INVALID', error.message, { cause: error });
  const refusal = refusalOf?.(error) ?? null;
  if (refusal !== null) return refusal;
  onInternalError(error);
  return new ApiError('INTERNAL', 'this is a bug: the log has the details', { cause: error });
}

/** Error for one invalid field of a request. */
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

/** Returns for example `urn:servent:problem:not-found`; stable across releases. */
function problemType(code: ApiErrorCode): string {
  return `urn:servent:problem:${code.toLowerCase().replaceAll('_', '-')}`;
}

export const problemKinds = Object.entries(PROBLEMS).map(([code, { status, title }]) => ({
  code: code as ApiErrorCode,
  type: problemType(code as ApiErrorCode),
  status,
  title,
}));
