// A peer broke the rules. Hot paths use numeric verdicts instead and never throw.

export type ProtocolErrorCode =
  | 'WIRE_TRUNCATED'
  | 'WIRE_MALFORMED'
  | 'WIRE_TOO_LONG'
  | 'GGEP_MALFORMED'
  | 'GGEP_TOO_LONG'
  | 'URN_MALFORMED'
  | 'MAGNET_MALFORMED'
  | 'ENDPOINT_MALFORMED'
  | 'HANDSHAKE_MALFORMED'
  | 'HANDSHAKE_TOO_LONG'
  | 'HTTP_MALFORMED'
  | 'HTTP_TOO_LONG'
  | 'RANGE_MALFORMED'
  | 'QRP_SEQUENCE';

export class ProtocolError extends Error {
  readonly code: ProtocolErrorCode;

  constructor(code: ProtocolErrorCode, detail: string) {
    super(detail);
    this.name = 'ProtocolError';
    this.code = code;
  }
}
