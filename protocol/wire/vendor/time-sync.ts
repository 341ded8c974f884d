// Time synchronisation (GTKG/9 and 10). Two of the four times are in the descriptor's GUID.
// offset = ((T2 - T1) + (T3 - T4)) / 2, where T4 is the time of receipt of the reply.
import { Cursor } from '../cursor.ts';
import { demandBody, VendorId, type VendorMessage, vendorPayload } from '../vendor-message.ts';

export interface Timestamp {
  /** Since 1970. */
  readonly seconds: number;
  readonly microseconds: number;
}

export interface TimeSyncRequest {
  /** The sender's clock is set by NTP. */
  readonly ntp: boolean;
  /** T1, when the request was sent. */
  readonly sentAt: Timestamp;
}

export interface TimeSyncReply extends TimeSyncRequest {
  /** T2, when the request was received. */
  readonly receivedAt: Timestamp;
  /** T3, when the reply was sent. */
  readonly repliedAt: Timestamp;
}

const NEVER: Timestamp = { seconds: 0, microseconds: 0 };

/** GUID of a request (T1) or a reply (T1 and T3). */
export function timeSyncGuid(sentAt: Timestamp, repliedAt: Timestamp = NEVER): Buffer {
  return Buffer.concat([timestampBytes(sentAt), timestampBytes(repliedAt)]);
}

/** Throws WIRE_TRUNCATED. */
export function parseTimeSyncRequest(message: VendorMessage, guid: Buffer): TimeSyncRequest {
  return { ntp: (demandBody(message, 1).readUInt8(0) & 1) !== 0, sentAt: timestampAt(guid, 0) };
}

/** GTKG/9 version 1, under timeSyncGuid(T1). */
export function encodeTimeSyncRequest(ntp: boolean): Buffer {
  return vendorPayload(VendorId.TimeSyncRequest, 1, Buffer.of(ntp ? 1 : 0));
}

/** Throws WIRE_TRUNCATED. */
export function parseTimeSyncReply(message: VendorMessage, guid: Buffer): TimeSyncReply {
  const body = demandBody(message, 9);
  return {
    ntp: (body.readUInt8(0) & 1) !== 0,
    sentAt: timestampAt(guid, 0),
    receivedAt: timestampAt(body, 1),
    repliedAt: timestampAt(guid, 8),
  };
}

/** GTKG/10 version 1, under timeSyncGuid(T1, T3). */
export function encodeTimeSyncReply(ntp: boolean, receivedAt: Timestamp): Buffer {
  return vendorPayload(VendorId.TimeSyncReply, 1, Buffer.concat([Buffer.of(ntp ? 1 : 0), timestampBytes(receivedAt)]));
}

/** Of milliseconds since 1970. */
export function timestampOf(wallTimeMs: number): Timestamp {
  const seconds = Math.floor(wallTimeMs / 1000);
  return { seconds, microseconds: Math.floor((wallTimeMs - 1000 * seconds) * 1000) };
}

function timestampAt(bytes: Buffer, at: number): Timestamp {
  const cursor = new Cursor(bytes, at);
  const seconds = cursor.take(4).readUInt32BE(0);
  return { seconds, microseconds: cursor.take(4).readUInt32BE(0) };
}

function timestampBytes(timestamp: Timestamp): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(timestamp.seconds, 0);
  bytes.writeUInt32BE(timestamp.microseconds, 4);
  return bytes;
}
