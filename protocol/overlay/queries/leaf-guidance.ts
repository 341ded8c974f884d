// What a leaf and its ultrapeer tell each other about queries: hops flow, how many hits one has kept, and a veto of hits by UDP. Both sides.
import { HEADER_BYTES, Type } from '../../constants.ts';
import { ProtocolError } from '../../errors.ts';
import type { Frame } from '../../wire/frame-reader.ts';
import { encodeDescriptor } from '../../wire/header.ts';
import {
  encodeQueryStatus,
  parseHopsFlow,
  parseQueryStatus,
  QUERY_STATUS_STOP,
} from '../../wire/vendor/leaf-guidance.ts';
import { parseCapabilityList, parseMessagesSupported } from '../../wire/vendor/supported.ts';
import { parseVendorMessage, VENDOR_HEAD_BYTES, VendorId, vendorId } from '../../wire/vendor-message.ts';
import type { Link } from '../links/link.ts';
import { Priority } from '../links/send-queue.ts';
import type { DynamicQueries } from './dynamic-queries.ts';
import type { OwnSearches } from './own-searches.ts';
import type { Search } from './search.ts';

/** First bytes of the messages that are read here; others are not even parsed. */
const BEAR = 0x42454152;
const LIME = 0x4c494d45;
const PROXY_CONTROL = 13;
const NO_VENDOR = 0;

export interface LeafGuidanceParts {
  readonly dynamicQueries: DynamicQueries;
  readonly searches: OwnSearches;
}

export class LeafGuidance {
  readonly #parts: LeafGuidanceParts;

  constructor(parts: LeafGuidanceParts) {
    this.#parts = parts;
  }

  /** Any vendor message. False when it is one of ours and malformed. */
  onMessage(link: Link, frame: Frame, now: number): boolean {
    if (frame.payloadBytes < VENDOR_HEAD_BYTES) return true;
    const vendor = frame.bytes.readUInt32BE(frame.start + HEADER_BYTES);
    const isProxyControl =
      vendor === LIME && frame.bytes.readUInt16LE(frame.start + HEADER_BYTES + 4) === PROXY_CONTROL;
    if (vendor !== BEAR && vendor !== NO_VENDOR && !isProxyControl) return true;
    try {
      this.#dispatch(link, frame, now);
      return true;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return false;
    }
  }

  #dispatch(link: Link, frame: Frame, now: number): void {
    const message = parseVendorMessage(frame.payload());
    switch (vendorId(message)) {
      case VendorId.HopsFlow:
        link.queryHopsMax = parseHopsFlow(message);
        break;
      case VendorId.OutOfBandProxyControl:
        // empty: all versions; 0: none
        link.vetoesProxy = message.body[0] !== 0;
        break;
      case VendorId.MessagesSupported:
        link.guided = parseMessagesSupported(message).some(isStatus);
        break;
      case VendorId.Capabilities:
        link.whatsNew = (parseCapabilityList(message).get('WHAT') ?? 0) > 0;
        break;
      case VendorId.QueryStatusRequest:
        if (link.ourRole === 'leaf') this.#tell(link, frame);
        break;
      case VendorId.QueryStatus:
        if (link.role === 'leaf') {
          this.#parts.dynamicQueries.onStatus(link, frame.guid(), parseQueryStatus(message), now);
        }
        break;
      default:
    }
  }

  /** Our ultrapeer asks how many hits we have: a search that is over needs no more. */
  #tell(link: Link, frame: Frame): void {
    const search = this.#parts.searches.find(frame.bytes, frame.start);
    const kept = search === null ? QUERY_STATUS_STOP : Math.min(search.hits, QUERY_STATUS_STOP - 1);
    send(link, frame.guid(), kept);
  }

  /** A search of ours is over: ultrapeers that ask for counts may stop theirs at once. */
  onOver(search: Search, links: Iterable<Link>): void {
    for (const link of links) if (link.ourRole === 'leaf' && link.guided) send(link, search.guid, QUERY_STATUS_STOP);
  }
}

function isStatus(message: { vendor: string; selector: number }): boolean {
  const id = vendorId(message);
  return id === VendorId.QueryStatusRequest || id === VendorId.QueryStatus;
}

function send(link: Link, guid: Buffer, kept: number): void {
  link.queue.enqueue(encodeDescriptor(guid, Type.Vendor, 1, 0, encodeQueryStatus(kept)), Priority.Control);
}
