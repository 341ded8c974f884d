// ALOC values: where the file whose SHA-1 is the key can be had. The IP address is that of the value's creator.
import { ProtocolError } from '../errors.ts';
import { type GgepItem, ggepPayload } from '../wire/ggep.ts';
import {
  encodeFields,
  flagField,
  guidField,
  numberField,
  portField,
  readFields,
  readGuid,
  readNumber,
  readPort,
} from './value-fields.ts';

/** Version of values without the length of the file: 0.0. */
export const ALOC_WITHOUT_LENGTH = 0;
/** Version of values with it: 0.1. */
export const ALOC_WITH_LENGTH = 1;

const TIGER_ROOT_BYTES = 24;

export interface Aloc {
  readonly serventGuid: Buffer;
  /** Has to be asked by push, through the proxies of a PROX or NOPE value. */
  readonly firewalled: boolean;
  readonly port: number;
  /** Size of the file; null in values of version 0.0. */
  readonly length: number | null;
  /** Bytes that the creator of a partial file has; null when it has all or does not tell. */
  readonly available: number | null;
  readonly tls: boolean;
  /** 24 bytes. */
  readonly tigerRoot: Buffer | null;
  /** Name of the creator in DNS, in ASCII. */
  readonly hostName: string | null;
}

const HOST_NAME = /^[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?$/i;

/** `version` is the value's. Throws DHT_MALFORMED, GGEP_*. */
export function parseAloc(data: Buffer, version: number): Aloc {
  const items = readFields(data);
  const length = readNumber(items, 'length');
  if (length === null && version >= ALOC_WITH_LENGTH) {
    throw new ProtocolError('DHT_MALFORMED', 'no length of the file');
  }
  const tigerRoot = ggepPayload(items, 'ttroot');
  const hostName = ggepPayload(items, 'HNAME')?.toString('latin1') ?? '';
  return {
    serventGuid: readGuid(items, 'client-id'),
    firewalled: (ggepPayload(items, 'firewalled')?.[0] ?? 0) !== 0,
    port: readPort(items),
    length,
    available: readNumber(items, 'avail'),
    tls: ggepPayload(items, 'tls') !== null,
    tigerRoot: tigerRoot?.length === TIGER_ROOT_BYTES ? tigerRoot : null,
    hostName: HOST_NAME.test(hostName) ? hostName : null,
  };
}

/** Version of the value to store. */
export function alocVersion(aloc: Aloc): number {
  return aloc.length === null ? ALOC_WITHOUT_LENGTH : ALOC_WITH_LENGTH;
}

/** Fields in gtk-gnutella's order. Throws RangeError for parts of a wrong size. */
export function encodeAloc(aloc: Aloc): Buffer {
  const { length, available, tigerRoot, hostName } = aloc;
  if (tigerRoot !== null && tigerRoot.length !== TIGER_ROOT_BYTES) {
    throw new RangeError(`a tree root of ${tigerRoot.length} bytes`);
  }
  if (hostName !== null && !HOST_NAME.test(hostName)) throw new RangeError('not a host name in ASCII');
  const items: GgepItem[] = [
    guidField('client-id', aloc.serventGuid),
    { id: 'firewalled', payload: Buffer.of(aloc.firewalled ? 1 : 0) },
  ];
  if (length !== null) items.push(numberField('length', length));
  if (available !== null) items.push(numberField('avail', available));
  items.push(portField(aloc.port));
  if (aloc.tls) items.push(flagField('tls'));
  if (tigerRoot !== null) items.push({ id: 'ttroot', payload: tigerRoot });
  if (hostName !== null) items.push({ id: 'HNAME', payload: Buffer.from(hostName, 'latin1') });
  return encodeFields(items);
}
