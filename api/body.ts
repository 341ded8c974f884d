// Reads a JSON body, bounded in size and time.
import type { IncomingMessage } from 'node:http';
import getRawBody from 'raw-body';
import { ApiError, invalid } from './errors.ts';

export const BODY_BYTES_MAX = 1024 * 1024;
export const BODY_WAIT_MS = 10_000;
/** Most bytes of a refused body that are read and discarded, so that the client can read the answer. */
const REST_BYTES_MAX = 64 * 1024 * 1024;
const REST_MS = 5_000;

/** Returns the parsed body, or undefined when there is none. Throws ApiError. */
export async function readJson(request: IncomingMessage, waitMs: number = BODY_WAIT_MS): Promise<unknown> {
  const { headers } = request;
  const declared = headers['content-length'];
  if (headers['transfer-encoding'] === undefined && (declared === undefined || Number(declared) === 0))
    return undefined;
  if (Number(declared) > BODY_BYTES_MAX) throw tooLarge();
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (!/^application\/([a-z0-9.-]+\+)?json$/.test(type))
    throw new ApiError(
      'UNSUPPORTED_MEDIA_TYPE',
      `send application/json, not ${type === '' ? 'a body without a type' : type}`,
    );
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new ApiError('UNSUPPORTED_MEDIA_TYPE', 'send the body without Content-Encoding');
  const text = await readText(request, waitMs);
  try {
    return JSON.parse(text, refuseProto);
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    throw new ApiError('MALFORMED_JSON', cause instanceof Error ? cause.message : 'not JSON', { cause });
  }
}

/** Rejects the key `__proto__`: JSON.parse makes it an own field, which a later copy could turn into a prototype. */
function refuseProto(key: string, value: unknown): unknown {
  if (key === '__proto__') throw invalid(key, 'unknown field');
  return value;
}

/** Yields the answer and ends after the rest of the body was discarded, or after REST_BYTES_MAX of it. */
export async function* answerThenRest(answer: string, request: IncomingMessage): AsyncGenerator<string> {
  yield answer;
  if (request.complete || request.destroyed) return;
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>(done => {
    let bytes = 0;
    timer = setTimeout(done, REST_MS);
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > REST_BYTES_MAX) done();
    });
    request.once('end', done).once('close', done);
    request.resume(); // paused when the body exceeded its limit
  });
  clearTimeout(timer);
}

async function readText(request: IncomingMessage, waitMs: number): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new ApiError('TOO_SLOW', `the body did not end within ${waitMs / 1000} s`)),
      waitMs,
    );
  });
  try {
    const reading = getRawBody(request, { limit: BODY_BYTES_MAX, encoding: 'utf8' });
    return await Promise.race([reading, late]);
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    const type = (cause as { type?: string }).type;
    if (type === 'entity.too.large') throw tooLarge(cause);
    throw new ApiError('INVALID', 'the body ended before its Content-Length', { cause });
  } finally {
    clearTimeout(timer);
  }
}

function tooLarge(cause?: unknown): ApiError {
  return new ApiError('BODY_TOO_LARGE', `a body can have at most ${BODY_BYTES_MAX} bytes`, { cause });
}
