// Errors with a code for programs and a message for people. Hot paths return numeric verdicts instead.

export abstract class CodedError<Code extends string> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

export type ProtocolErrorCode =
  | 'WIRE_TRUNCATED'
  | 'WIRE_MALFORMED'
  | 'WIRE_TOO_LONG'
  | 'GGEP_MALFORMED'
  | 'GGEP_TOO_LONG'
  | 'URN_MALFORMED'
  | 'MAGNET_MALFORMED'
  | 'METALINK_MALFORMED'
  | 'ENDPOINT_MALFORMED'
  | 'DHT_MALFORMED'
  | 'DHT_TOO_LONG'
  | 'DHT_UNKNOWN'
  | 'HANDSHAKE_MALFORMED'
  | 'HANDSHAKE_TOO_LONG'
  | 'HTTP_MALFORMED'
  | 'HTTP_TOO_LONG'
  | 'RANGE_MALFORMED'
  | 'QRP_SEQUENCE'
  | 'DIME_MALFORMED'
  | 'THEX_MALFORMED'
  | 'THEX_TOO_LONG'
  | 'THEX_MISMATCH';

/** A peer broke the rules. */
export class ProtocolError extends CodedError<ProtocolErrorCode> {}
