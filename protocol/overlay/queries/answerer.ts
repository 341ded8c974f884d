// Answers queries with hits for our files.
import { Type } from '../../constants.ts';
import type { WallClock } from '../../ports.ts';
import type { Searchable, SharedFile } from '../../search/shared-file.ts';
import type { Frame } from '../../wire/frame-reader.ts';
import { encodeDescriptor } from '../../wire/header.ts';
import { isOfMedia, wantedMedia } from '../../wire/media-type.ts';
import { isWhatsNew, parseQuery, type Query } from '../../wire/query.ts';
import { HITS_MAX } from '../../wire/query-hit.ts';
import type { Identity } from '../identity.ts';
import type { OverlayCounters } from '../links/counters.ts';
import type { Link } from '../links/link.ts';
import { Priority } from '../links/send-queue.ts';
import { encodeOwnHits, xmlFor } from './own-hits.ts';
import { isOutOfReach } from './stream-mark.ts';

/** Added to the hops a query came, so that its hit survives a detour; gtk-gnutella's margin and bound. */
const HIT_TTL_MARGIN = 5;
const HIT_TTL_MAX = 15;

/** What is sent for a What's New query: as many, and as new, as gtk-gnutella does. */
const NEWEST_FILES = 3;
const NEWEST_MS = 14 * 86_400_000;
/** New files looked through for those of the wanted media types. */
const NEWEST_EXAMINED = 100;

/** Another way for hits than the link that the query came on. */
export interface HitTransport {
  /** True when it takes care of them. `frame` and `query` end with the call. */
  offer(frame: Frame, query: Query, files: readonly SharedFile[], now: number): boolean;
}

export interface AnswererParts {
  readonly library: Searchable;
  readonly identity: Identity;
  readonly counters: OverlayCounters;
  /** Records that one query is answered with. */
  readonly hitsPerQueryMax: number;
  readonly clock: WallClock;
  readonly hitTransport: HitTransport | null;
}

export class Answerer {
  readonly #parts: AnswererParts;

  constructor(parts: AnswererParts) {
    this.#parts = parts;
  }

  #newest({ ggep }: Query): readonly SharedFile[] {
    const { library, clock } = this.#parts;
    const media = wantedMedia(ggep);
    const examined = media === 0 ? NEWEST_FILES : NEWEST_EXAMINED;
    const files = library.newest?.(examined, clock.wallTime() - NEWEST_MS) ?? [];
    return files.filter(({ name }) => isOfMedia(name, media)).slice(0, NEWEST_FILES);
  }

  /** Sends hits for the query in `frame`, whose text is known to end. How many records. */
  answer(link: Link, frame: Frame, now: number): number {
    const { library, identity, counters, hitsPerQueryMax, hitTransport } = this.#parts;
    if (library.files === 0) return 0;
    const query = parseQuery(frame.payload());
    // neither side could connect to the other
    if (isOutOfReach(query, identity, now)) return 0;
    const wanted = query.maxHits === 0 ? hitsPerQueryMax : Math.min(query.maxHits, hitsPerQueryMax);
    const files = isWhatsNew(query) ? this.#newest(query) : library.match(query, wanted);
    if (files.length === 0) return 0;
    counters.queriesAnswered++;
    if (hitTransport?.offer(frame, query, files, now) === true) return files.length;
    const ttl = Math.min(frame.hops + HIT_TTL_MARGIN, HIT_TTL_MAX);
    const guid = frame.guid();
    const xmlOf = xmlFor(query, library);
    for (let at = 0; at < files.length; at += HITS_MAX) {
      const some = files.slice(at, at + HITS_MAX);
      const payload = encodeOwnHits(identity, some, [], now, xmlOf(some));
      link.queue.enqueue(encodeDescriptor(guid, Type.QueryHit, ttl, 0, payload), Priority.Hit);
      counters.hitsSent++;
    }
    return files.length;
  }
}
