// The heads of requests for a range of a file, and for its hash tree.
import { THEX_MEDIA_TYPE } from '../../digest/thex.ts';
import { formatEndpoint } from '../../wire/endpoint.ts';
import { formatSha1Urn } from '../../wire/urn.ts';
import { transferFeatures } from '../features.ts';
import { encodeRequestHead } from '../http-head.ts';
import { firewalledNode } from '../mesh/firewalled-location.ts';
import type { ParqPlace } from '../queue-status.ts';
import { formatRange } from '../range.ts';
import type { ByteRange } from '../range-set.ts';
import type { TransferIdentity } from '../transfer-identity.ts';
import { escapeSegment } from '../uploads/request-target.ts';

/** PARQ with ids that outlive connections; LimeWire takes any version for X-Queue polls. */
const QUEUE_VERSION = '1.1';

export interface FileRequest {
  /** Value of Host: what we dialled. */
  readonly host: string;
  readonly target: string;
  /** Null asks for all of it. */
  readonly range: ByteRange | null;
  readonly sha1: Buffer | null;
  readonly identity: TransferIdentity;
  readonly now: number;
  /** Headers about other locations. */
  readonly locations: readonly (readonly [name: string, value: string])[];
  /** Bytes of the file that we have. */
  readonly doneBytes: number;
  readonly queued: ParqPlace | null;
  /** On the first request of a connection. */
  readonly first: boolean;
}

export function encodeFileRequest(request: FileRequest): Buffer {
  const { range, sha1, identity, now, queued } = request;
  const headers: (readonly [name: string, value: string])[] = [
    ['Host', request.host],
    ['User-Agent', identity.userAgent],
  ];
  if (range !== null) headers.push(['Range', formatRange(range)]);
  headers.push(['X-Queue', QUEUE_VERSION]);
  if (queued !== null) headers.push(['X-Queued', `position=${queued.position}; ID=${queued.id}`]);
  if (sha1 !== null) headers.push(['X-Gnutella-Content-URN', formatSha1Urn(sha1)]);
  headers.push(['X-Downloaded', String(request.doneBytes)]);
  if (request.first) headers.push(...introduction(identity, now));
  headers.push(...request.locations);
  return encodeRequestHead('GET', request.target, headers);
}

/** Asks a plain web server: without what only servents know. */
export function encodeWebRequest({
  host,
  target,
  range,
  identity,
}: Pick<FileRequest, 'host' | 'target' | 'range' | 'identity'>): Buffer {
  const headers: (readonly [name: string, value: string])[] = [
    ['Host', host.replace(/:80$/, '')],
    ['User-Agent', identity.userAgent],
  ];
  if (range !== null) headers.push(['Range', formatRange(range)]);
  return encodeRequestHead('GET', target, headers);
}

/** Asks for a hash tree at a target that the source named. */
export function encodeTreeRequest({
  host,
  target,
  identity,
  now,
  first,
}: Pick<FileRequest, 'host' | 'target' | 'identity' | 'now' | 'first'>): Buffer {
  const headers: (readonly [name: string, value: string])[] = [
    ['Host', host],
    ['User-Agent', identity.userAgent],
    ['Accept', THEX_MEDIA_TYPE],
  ];
  if (first) headers.push(...introduction(identity, now));
  return encodeRequestHead('GET', target, headers);
}

/** What a connection is told once of us. */
function introduction(identity: TransferIdentity, now: number): (readonly [name: string, value: string])[] {
  return [
    ['X-Features', transferFeatures(identity, true, QUEUE_VERSION, now)],
    identity.firewalled(now)
      ? ['X-FW-Node-Info', firewalledNode(identity)]
      : ['X-Node', formatEndpoint(identity.listen())],
  ];
}

/** `N2R` by hash where it is known: `/get/` is not answered by LimeWire. */
export function targetOf(sha1: Buffer | null, index: number, name: string): string {
  return sha1 === null ? `/get/${index}/${escapeSegment(name)}` : `/uri-res/N2R?${formatSha1Urn(sha1)}`;
}
