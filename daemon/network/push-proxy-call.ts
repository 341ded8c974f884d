// Asks a push proxy over HTTP to pass on a push: one request, one response head.
import type { Socket } from 'node:net';
import { ProtocolError } from '../../protocol/errors.ts';
import { parseResponseHead } from '../../protocol/transfer/http-head.ts';
import {
  encodePushProxyCall,
  type PushProxyCall,
  type PushProxyVerdict,
  pushProxyVerdict,
} from '../../protocol/transfer/push-proxy.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import { DialError } from '../net/dialer.ts';
import { SocketReader } from '../net/socket-reader.ts';

/** Resolves with 'silent' on any error. `signal` limits the time. */
export async function callPushProxy(
  call: PushProxyCall,
  dial: (endpoint: Endpoint, signal: AbortSignal) => Promise<Socket>,
  signal: AbortSignal,
): Promise<PushProxyVerdict> {
  let socket: Socket;
  try {
    socket = await dial(call.proxy, signal);
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    return 'silent'; // there are other proxies
  }
  const cut = () => socket.destroy();
  signal.addEventListener('abort', cut, { once: true });
  if (signal.aborted) cut();
  try {
    socket.write(encodePushProxyCall(call));
    const block = await new SocketReader(socket).nextHead();
    return block === null ? 'silent' : pushProxyVerdict(parseResponseHead(block).status);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return 'silent';
  } finally {
    signal.removeEventListener('abort', cut);
    socket.destroy();
  }
}
