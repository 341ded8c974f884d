// GGEP FW of query hits: their servent takes streams by UDP, though it is firewalled.
import { type GgepItem, ggepPayload } from './ggep.ts';

const ID = 'FW';
/** Of reliable UDP, as LimeWire tells it; what a higher one is, nobody can know. */
const VERSION = 1;

export function streamItem(): GgepItem {
  return { id: ID, payload: Buffer.from([VERSION]) };
}

export function takesStreams({ ggep }: { readonly ggep: readonly GgepItem[] }): boolean {
  return ggepPayload(ggep, ID)?.[0] === VERSION;
}
