// Asks hosts for their neighbours by TCP: a handshake of a crawler, which ends with the answer.
import type { Socket } from 'node:net';
import type { Outcome } from '../../protocol/crawl/crawl.ts';
import { CRAWLER_FAREWELL, crawlerHello, readHandshakeAnswer } from '../../protocol/crawl/host-answer.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { HeaderReader } from '../../protocol/handshake/header-block.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import { DialError, type Dialer } from '../net/dialer.ts';

const ANSWER_MS = 10_000;
/** For the peer to read our farewell before the socket goes. */
const GRACE_MS = 1_000;

/** Never rejects. */
export async function askByTcp(
  dialer: Dialer,
  endpoint: Endpoint,
  userAgent: string,
  signal: AbortSignal,
  answerMs = ANSWER_MS,
): Promise<Outcome> {
  let socket: Socket;
  try {
    socket = await dialer.dial(endpoint, signal);
  } catch (error) {
    if (error instanceof DialError) return { kind: 'silent', why: error.message };
    throw error;
  }
  return talk(socket, userAgent, signal, answerMs);
}

function talk(socket: Socket, userAgent: string, signal: AbortSignal, answerMs: number): Promise<Outcome> {
  return new Promise((settle, fail) => {
    const reader = new HeaderReader();
    const timer = setTimeout(() => end({ kind: 'silent', why: 'no answer in time' }), answerMs);
    const onAbort = (): void => end({ kind: 'silent', why: 'the crawl was ended' });
    const end = (outcome: Outcome): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (outcome.kind === 'answered') leave(socket);
      else socket.destroy();
      settle(outcome);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('close', () => end({ kind: 'silent', why: 'it closed the connection without an answer' }));
    socket.on('data', chunk => {
      try {
        if (reader.push(chunk) === 'more') return;
        socket.removeAllListeners('data');
        end(readHandshakeAnswer(reader.block, Date.now()));
      } catch (error) {
        if (error instanceof ProtocolError) end({ kind: 'unreadable', why: error.message });
        else fail(error);
      }
    });
    socket.write(crawlerHello(userAgent));
  });
}

function leave(socket: Socket): void {
  socket.resume().end(CRAWLER_FAREWELL);
  const timer = setTimeout(() => socket.destroy(), GRACE_MS);
  socket.once('close', () => clearTimeout(timer));
}
