// NOPE values: the creator, an ultrapeer, is push proxy of a leaf. The key is serventKey() of the leaf's GUID.
import { ggepPayload } from '../wire/ggep.ts';
import { encodeFields, flagField, guidField, portField, readFields, readGuid, readPort } from './value-fields.ts';

export const NOPE_VERSION = 0;

export interface Nope {
  /** GUID of the leaf. */
  readonly serventGuid: Buffer;
  /** Of the ultrapeer, whose IP address is the creator's. */
  readonly port: number;
  readonly tls: boolean;
}

/** Throws DHT_MALFORMED, GGEP_*. */
export function parseNope(data: Buffer): Nope {
  const items = readFields(data);
  return { serventGuid: readGuid(items, 'guid'), port: readPort(items), tls: ggepPayload(items, 'tls') !== null };
}

export function encodeNope(nope: Nope): Buffer {
  const items = [guidField('guid', nope.serventGuid), portField(nope.port)];
  return encodeFields(nope.tls ? [...items, flagField('tls')] : items);
}
