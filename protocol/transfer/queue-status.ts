// Remote queue headers: X-Queue (LimeWire, BearShare), X-Queued (gtk-gnutella's PARQ), Retry-After. Times are seconds.

/** Our place in a remote queue. */
export interface QueueStatus {
  /** From 1. */
  readonly position: number;
  readonly length: number | null;
  readonly limit: number | null;
  /** Ask again no sooner than this many seconds from now. */
  readonly pollMinSeconds: number | null;
  /** And no later. */
  readonly pollMaxSeconds: number | null;
  readonly etaSeconds: number | null;
  /** PARQ: 32 hex digits to send back with each request; null with X-Queue. */
  readonly id: string | null;
}

/** Last known place in a queue of PARQ, which is repeated with each request: it outlives connections. */
export interface ParqPlace {
  /** 0: we had a slot, and no place. */
  readonly position: number;
  /** 32 hex digits. */
  readonly id: string;
}

/** LimeWire's clamp of Retry-After is 60 to 3600; a lower bound of one second serves small networks. */
const RETRY_SECONDS_MAX = 3600;

/** `position=2, pollMin=45, pollMax=120`: null unless all three are there, as LimeWire wants it. */
export function parseQueue(text: string): QueueStatus | null {
  const fields = fieldsOf(text, ',');
  const position = whole(fields.get('position'));
  const pollMinSeconds = whole(fields.get('pollmin'));
  const pollMaxSeconds = whole(fields.get('pollmax'));
  if (position === null || pollMinSeconds === null || pollMaxSeconds === null) return null;
  return {
    position,
    length: whole(fields.get('length')),
    limit: whole(fields.get('limit')),
    pollMinSeconds,
    pollMaxSeconds,
    etaSeconds: null,
    id: null,
  };
}

/** `position=5; ID=…; lifetime=150; …`: position and ID are there or it is null. A missing lifetime is Retry-After + 60 (PARQ 1.1). */
export function parseQueued(text: string, retryAfterSeconds: number | null): QueueStatus | null {
  const fields = fieldsOf(text, ';');
  const position = whole(fields.get('position'));
  const id = fields.get('id') ?? '';
  if (position === null || !/^[0-9a-f]{32}$/i.test(id)) return null;
  return {
    position,
    length: whole(fields.get('length')),
    limit: null,
    pollMinSeconds: retryAfterSeconds,
    pollMaxSeconds: whole(fields.get('lifetime')) ?? (retryAfterSeconds === null ? null : retryAfterSeconds + 60),
    etaSeconds: whole(fields.get('eta')),
    id,
  };
}

/** The reply header of our own queue, LimeWire's form: clients that send X-Queue understand it. */
export function formatQueue(position: number, pollMinMs: number, pollMaxMs: number): string {
  return `position=${position}, pollMin=${Math.ceil(pollMinMs / 1000)}, pollMax=${Math.ceil(pollMaxMs / 1000)}`;
}

/** The reply header of PARQ 1.1, without an ETA where there is no estimate. */
export function formatQueued(
  place: {
    readonly id: string;
    readonly position: number;
    readonly length: number;
    readonly etaSeconds: number | null;
  },
  lifetimeMs: number,
): string {
  const { id, position, length, etaSeconds } = place;
  const lifetime = Math.floor(lifetimeMs / 1000);
  const eta = etaSeconds === null ? '' : `; ETA=${etaSeconds}`;
  return `ID=${id}; position=${position}; lifetime=${lifetime}; length=${length}${eta}`;
}

/** A queue id in a request, or in a reply that grants a slot: 32 hex digits, in lower case. Null: there is none. */
export function queueIdIn(text: string | null): string | null {
  const id = text === null ? undefined : fieldsOf(text, ';').get('id');
  return id !== undefined && /^[0-9a-f]{32}$/i.test(id) ? id.toLowerCase() : null;
}

/** Seconds, at least 1 and at most an hour. Null for a date, which servents hardly send, and anything else. */
export function parseRetryAfter(text: string | null): number | null {
  const seconds = whole(text?.trim());
  return seconds === null ? null : Math.min(Math.max(1, seconds), RETRY_SECONDS_MAX);
}

/** Names in lower case. */
function fieldsOf(text: string, separator: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const field of text.split(separator, 16)) {
    const equals = field.indexOf('=');
    if (equals > 0) fields.set(field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1).trim());
  }
  return fields;
}

function whole(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null;
}
