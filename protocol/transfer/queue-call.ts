// The line with which a server of PARQ calls a client whose turn has come: QUEUE <id> <its own HOST:PORT>. The client asks for its file next.
import { type Endpoint, formatEndpoint } from '../wire/endpoint.ts';

/** As gtk-gnutella writes it. */
export function encodeQueueCall(id: string, own: Endpoint): Buffer {
  return Buffer.from(`QUEUE ${id} ${formatEndpoint(own)}\r\n`, 'latin1');
}
