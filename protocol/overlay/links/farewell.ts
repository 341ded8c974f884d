// A Bye with other ultrapeers to go to, in the header X-Try-Ultrapeers of its text.
import { DEFAULT_PORT } from '../../constants.ts';
import { ProtocolError } from '../../errors.ts';
import { BYE_BYTES_MAX, encodeBye, parseBye } from '../../wire/bye.ts';
import { type Endpoint, formatEndpoint, parseEndpointList } from '../../wire/endpoint.ts';
import type { Frame } from '../../wire/frame-reader.ts';

const TEXT_CHARACTERS_MAX = 200;
/** As in gtk-gnutella. */
const HOSTS_MAX = 10;

export interface Farewell {
  readonly code: number;
  readonly text: string;
  readonly hosts: readonly Endpoint[];
}

/** Text and hosts are cut to what peers take. */
export function encodeFarewell({ code, text, hosts }: Farewell): Buffer {
  const line = text.replace(/\p{C}/gu, ' ').slice(0, TEXT_CHARACTERS_MAX);
  const named = hosts.slice(0, HOSTS_MAX).map(formatEndpoint).join(', ');
  return encodeBye({ code, text: line, headers: named === '' ? [] : [['X-Try-Ultrapeers', named]] });
}

/** Null: malformed; the peer closes all the same. Of one that is too long only that is known. */
export function readFarewell(frame: Frame): Farewell | null {
  if (frame.payloadBytes > BYE_BYTES_MAX) return { code: 0, text: '', hosts: [] };
  try {
    const { code, text, headers } = parseBye(frame.payload());
    const tried = headers.find(([name]) => name.toLowerCase() === 'x-try-ultrapeers');
    return { code, text, hosts: parseEndpointList(tried?.[1] ?? '', DEFAULT_PORT, HOSTS_MAX) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return null;
  }
}
