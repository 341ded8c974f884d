import type { HandshakeRefused } from '../../handshake/handshake.ts';
import type { Link } from '../links/link.ts';

/** Why a dial brought no handshake. */
export type DialFailure =
  | 'DIAL_FORBIDDEN'
  | 'DIAL_BUSY'
  | 'DIAL_TIMEOUT'
  | 'DIAL_FAILED'
  | 'DIAL_ABORTED'
  | 'HANDSHAKE_TIMEOUT'
  | 'HANDSHAKE_CLOSED';

/** How a dial ended. */
export type DialResult =
  | { readonly kind: 'linked'; readonly link: Link }
  | { readonly kind: 'refused'; readonly refusal: HandshakeRefused }
  | { readonly kind: 'failed'; readonly reason: DialFailure; readonly text: string };
