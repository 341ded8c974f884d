// Leaf guidance: BEAR/4 limits queries by hops, BEAR/11 asks how many hits of a query the leaf has kept, BEAR/12 answers.
import { demandBody, VendorId, type VendorMessage, vendorPayload } from '../vendor-message.ts';

/** Hops value that lifts a restriction. */
export const HOPS_FLOW_OPEN = 255;
/** Number of hits in a query status that stops the query. */
export const QUERY_STATUS_STOP = 0xffff;

/** The peer wants only queries with fewer hops; 0: none. Throws WIRE_TRUNCATED. */
export function parseHopsFlow(message: VendorMessage): number {
  return demandBody(message, 1).readUInt8(0);
}

/** BEAR/4 version 1. */
export function encodeHopsFlow(hops: number): Buffer {
  return vendorPayload(VendorId.HopsFlow, 1, Buffer.of(hops));
}

/** BEAR/11 version 1; the descriptor's GUID is the query's. */
export function encodeQueryStatusRequest(): Buffer {
  return vendorPayload(VendorId.QueryStatusRequest, 1);
}

/** Hits kept so far, or QUERY_STATUS_STOP; the descriptor's GUID is the query's. Throws WIRE_TRUNCATED. */
export function parseQueryStatus(message: VendorMessage): number {
  return demandBody(message, 2).readUInt16LE(0);
}

/** BEAR/12 version 1. */
export function encodeQueryStatus(hits: number): Buffer {
  const body = Buffer.alloc(2);
  body.writeUInt16LE(Math.min(hits, QUERY_STATUS_STOP));
  return vendorPayload(VendorId.QueryStatus, 1, body);
}
