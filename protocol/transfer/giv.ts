// The line with which a firewalled servent answers a push: GIV <index>:<GUID>/<name>, then an empty line.
import { ProtocolError } from '../errors.ts';
import { formatGuid } from '../wire/guid.ts';

export interface Giv {
  /** A hint only: any file may be asked for. */
  readonly index: number;
  /** 16 bytes. */
  readonly serventGuid: Buffer;
}

const LINE = /^GIV (\d{1,10}):([0-9a-f]{32})\//i;

/** One line, with or without its end; what follows the slash is of no use. Throws HTTP_MALFORMED. */
export function parseGiv(line: string): Giv {
  const [, index, guid] = LINE.exec(line) ?? [];
  if (index === undefined || guid === undefined) throw new ProtocolError('HTTP_MALFORMED', 'not a GIV line');
  return { index: Number(index), serventGuid: Buffer.from(guid, 'hex') };
}

/** As LimeWire and gtk-gnutella write it, empty line included. */
export function encodeGiv(serventGuid: Buffer): Buffer {
  return Buffer.from(`GIV 0:${formatGuid(serventGuid).toUpperCase()}/file\n\n`, 'latin1');
}
