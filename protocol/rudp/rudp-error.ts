// Why a connection over reliable UDP cannot be had, or is over.
import { CodedError } from '../errors.ts';

export type RudpErrorCode =
  /** No room for another connection. */
  | 'RUDP_BUSY'
  /** One to that address is being made. */
  | 'RUDP_TWICE'
  /** No answer to our SYNs. */
  | 'RUDP_NO_ANSWER'
  /** The peer has been silent for too long, or does not acknowledge. */
  | 'RUDP_SILENT'
  /** The peer ended it before all was said. */
  | 'RUDP_BROKEN'
  /** The peer breaks the rules. */
  | 'RUDP_CHEATED'
  /** We ended it. */
  | 'RUDP_CLOSED'
  /** There is no UDP. */
  | 'RUDP_OFF'
  | 'RUDP_FORBIDDEN';

export class RudpError extends CodedError<RudpErrorCode> {}
