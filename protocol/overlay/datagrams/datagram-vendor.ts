// Vendor messages by UDP: offers and claims of hits, and questions of strangers about our neighbours, one file, and the time.
import { HEADER_BYTES, Type } from '../../constants.ts';
import type { WallClock } from '../../ports.ts';
import { KeyedRateLimit, type RateLimit } from '../../rate-limit.ts';
import type { Searchable } from '../../search/shared-file.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import type { Frame } from '../../wire/frame-reader.ts';
import { encodeDescriptor } from '../../wire/header.ts';
import { parseOutOfBandAck, parseOutOfBandOffer } from '../../wire/vendor/out-of-band.ts';
import { encodeTimeSyncReply, parseTimeSyncRequest, timeSyncGuid, timestampOf } from '../../wire/vendor/time-sync.ts';
import { parseVendorMessage, VendorId, type VendorMessage, vendorId } from '../../wire/vendor-message.ts';
import type { Identity } from '../identity.ts';
import type { Link } from '../links/link.ts';
import { answerCrawler, answerHead } from './datagram-answers.ts';
import type { DatagramEnd } from './datagram-end.ts';
import type { OutOfBandClaims, OutOfBandReplies, SearchInNeed } from './out-of-band.ts';
import { answerBytesMax, type UnverifiedAnswers } from './unverified-answers.ts';

export interface DatagramVendorParts {
  readonly clock: WallClock;
  readonly identity: Identity;
  readonly library: Searchable;
  readonly links: ReadonlyMap<number, Link>;
  /** The running search of ours, or of a leaf that we stand in for, whose GUID stands at `start`. */
  readonly searchOf: (bytes: Buffer, start: number) => SearchInNeed | null;
  readonly userAgent: () => string;
  readonly replies: OutOfBandReplies;
  readonly claims: OutOfBandClaims;
  readonly answers: UnverifiedAnswers;
  readonly addressKey: (endpoint: Endpoint) => string;
  readonly startedAt: number;
  /** Crawler pings, and questions for one file, of one address. */
  readonly crawls: RateLimit;
  readonly heads: RateLimit;
  readonly addressesMax: number;
}

export class DatagramVendor {
  readonly #parts: DatagramVendorParts;
  readonly #crawlRates: KeyedRateLimit;
  readonly #headRates: KeyedRateLimit;

  constructor(parts: DatagramVendorParts) {
    this.#parts = parts;
    this.#crawlRates = new KeyedRateLimit(parts.crawls, parts.addressesMax);
    this.#headRates = new KeyedRateLimit(parts.heads, parts.addressesMax);
  }

  onMessage(frame: Frame, from: Endpoint, now: number): DatagramEnd {
    const { replies } = this.#parts;
    const message = parseVendorMessage(frame.payload());
    switch (vendorId(message)) {
      case VendorId.OutOfBandOffer:
        return this.#onOffer(message, frame, from, now);
      case VendorId.OutOfBandAck:
        replies.onClaim(Buffer.from(frame.guid()), parseOutOfBandAck(message), from, now);
        return 'taken';
      case VendorId.CrawlerPing:
        return this.#onCrawler(message, frame, from, now);
      case VendorId.HeadPing:
        return this.#onHead(message, frame, from, now);
      case VendorId.TimeSyncRequest:
        return this.#onTimeSync(message, frame, from, now);
      default:
        return 'unknown';
    }
  }

  #onOffer(message: VendorMessage, frame: Frame, from: Endpoint, now: number): DatagramEnd {
    const { searchOf, claims } = this.#parts;
    const search = searchOf(frame.bytes, 0);
    if (search === null) return 'offer_unasked';
    claims.onOffer(search, frame.guid(), parseOutOfBandOffer(message), from, now);
    return 'taken';
  }

  #onCrawler(message: VendorMessage, frame: Frame, from: Endpoint, now: number): DatagramEnd {
    const { links, startedAt, userAgent, addressKey } = this.#parts;
    if (!this.#crawlRates.admit(addressKey(from), now)) return 'answer_rate';
    const room = answerBytesMax(frame.bytes.length) - HEADER_BYTES;
    const payload = answerCrawler(message, links.values(), startedAt, userAgent(), room, now);
    return this.#answer(payload, frame.guid(), frame, from, now);
  }

  #onHead(message: VendorMessage, frame: Frame, from: Endpoint, now: number): DatagramEnd {
    const { library, identity, addressKey } = this.#parts;
    if (!this.#headRates.admit(addressKey(from), now)) return 'answer_rate';
    const payload = answerHead(message, library, identity, now);
    return payload === null ? 'not_spoken' : this.#answer(payload, frame.guid(), frame, from, now);
  }

  #onTimeSync(message: VendorMessage, frame: Frame, from: Endpoint, now: number): DatagramEnd {
    const { sentAt } = parseTimeSyncRequest(message, frame.guid());
    const at = timestampOf(this.#parts.clock.wallTime());
    return this.#answer(encodeTimeSyncReply(false, at), timeSyncGuid(sentAt, at), frame, from, now);
  }

  #answer(payload: Buffer, guid: Buffer, question: Frame, to: Endpoint, now: number): DatagramEnd {
    const bytes = encodeDescriptor(guid, Type.Vendor, 1, 0, payload);
    return this.#parts.answers.answer(bytes, to, question.bytes.length, now);
  }
}
