// The envelope of vendor messages (0x31 and 0x32): vendor, selector, version. Bodies are in vendor/.
import { ProtocolError } from '../errors.ts';

export const VENDOR_HEAD_BYTES = 8;
/** Vendor code of messages without a vendor ("null"). */
export const NO_VENDOR = '\0\0\0\0';

export interface VendorMessage {
  /** 4 Latin-1 characters, or NO_VENDOR. */
  readonly vendor: string;
  readonly selector: number;
  readonly version: number;
  /** A view. */
  readonly body: Buffer;
}

/** Results of vendorId() for the messages handled. */
export const VendorId = {
  MessagesSupported: 'null/0',
  Capabilities: 'null/10',
  HopsFlow: 'BEAR/4',
  TcpConnectBack: 'BEAR/7',
  QueryStatusRequest: 'BEAR/11',
  QueryStatus: 'BEAR/12',
  UdpConnectBack: 'GTKG/7',
  TimeSyncRequest: 'GTKG/9',
  TimeSyncReply: 'GTKG/10',
  PushProxyCancel: 'GTKG/21',
  CrawlerPing: 'LIME/5',
  CrawlerPong: 'LIME/6',
  TcpConnectBackRedirect: 'LIME/7',
  UdpConnectBackRedirect: 'LIME/8',
  OutOfBandAck: 'LIME/11',
  OutOfBandOffer: 'LIME/12',
  OutOfBandProxyControl: 'LIME/13',
  PushProxyRequest: 'LIME/21',
  PushProxyAck: 'LIME/22',
  HeadPing: 'LIME/23',
  HeadPong: 'LIME/24',
} as const;

/** The dispatch key, such as `LIME/21` or `null/0`; handlers check the version. */
export function vendorId(message: Pick<VendorMessage, 'vendor' | 'selector'>): string {
  return `${message.vendor === NO_VENDOR ? 'null' : message.vendor}/${message.selector}`;
}

/** Throws WIRE_TRUNCATED. */
export function parseVendorMessage(payload: Buffer): VendorMessage {
  if (payload.length < VENDOR_HEAD_BYTES) {
    throw new ProtocolError('WIRE_TRUNCATED', `a vendor message of ${payload.length} bytes`);
  }
  return {
    vendor: payload.toString('latin1', 0, 4),
    selector: payload.readUInt16LE(4),
    version: payload.readUInt16LE(6),
    body: payload.subarray(VENDOR_HEAD_BYTES),
  };
}

export function encodeVendorMessage(message: VendorMessage): Buffer {
  const payload = Buffer.alloc(VENDOR_HEAD_BYTES + message.body.length);
  payload.write(message.vendor, 0, 4, 'latin1');
  payload.writeUInt16LE(message.selector, 4);
  payload.writeUInt16LE(message.version, 6);
  message.body.copy(payload, VENDOR_HEAD_BYTES);
  return payload;
}

/** Encodes the payload of a message by its VendorId. */
export function vendorPayload(id: string, version: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const slash = id.indexOf('/');
  const name = id.slice(0, slash);
  const vendor = name === 'null' ? NO_VENDOR : name;
  return encodeVendorMessage({ vendor, selector: Number(id.slice(slash + 1)), version, body });
}

/** Throws WIRE_TRUNCATED unless the body has at least `bytes` bytes; allows more, as gtk-gnutella does. */
export function demandBody(message: VendorMessage, bytes: number): Buffer {
  if (message.body.length < bytes) {
    throw new ProtocolError('WIRE_TRUNCATED', `${vendorId(message)} with ${message.body.length} of ${bytes} bytes`);
  }
  return message.body;
}

/** Throws WIRE_MALFORMED for versions below `versionMin`; newer versions only append fields. */
export function demandVersion(message: VendorMessage, versionMin: number): void {
  if (message.version < versionMin) {
    throw new ProtocolError('WIRE_MALFORMED', `${vendorId(message)} version ${message.version}`);
  }
}
