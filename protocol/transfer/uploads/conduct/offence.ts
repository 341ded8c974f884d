// What an address can do that it should not on upload connections, and how many points each is worth.
import type { QueueViolation } from '../queue/admission.ts';

export const OFFENCES = [
  'connections',
  'requests',
  'never_asked',
  'same_file',
  'early_polls',
  'unknown_ids',
  'borrowed_ids',
  'replayed_ids',
  'too_many_entries',
] as const;
export type Offence = (typeof OFFENCES)[number];

export const BAN_REASONS = [...OFFENCES, 'by_hand'] as const;
export type BanReason = (typeof BAN_REASONS)[number];

/** An address is banned at this score. A score falls by one point a second. */
export const POINTS_MAX = 100;

/**
 * A client that keeps to gtk-gnutella's pace, one connection each 12 s, stays at a constant score even if each of its requests has a lost
 * id and is refused. gtk-gnutella bans for more than five connections in 60 s; here connections with refused requests may come each 8 s.
 * LimeWire bans for requests less than 5 s apart; here refused ones on one connection may come each 4 s.
 */
export const POINTS: Readonly<Record<Offence, number>> = {
  /** Taken back once the connection is sent data or asks in time for its place in the queue. */
  connections: 4,
  requests: 4,
  never_asked: 17,
  /** For the fourth copy; more for each further one. */
  same_file: 20,
  /** gtk-gnutella bans at once: these were ten. */
  early_polls: POINTS_MAX,
  /** Ids are lost when a client comes back late, or with another address. */
  unknown_ids: 4,
  borrowed_ids: 4,
  replayed_ids: 10,
  too_many_entries: 4,
};

/** Reasons of bans in words. */
export const OFFENCE_TEXTS: Readonly<Record<Offence, string>> = {
  connections: 'connected again and again without getting data or waiting for its turn',
  requests: 'sent refused requests again and again',
  never_asked: 'opened connections without asking for anything',
  same_file: 'fetched the same file again and again',
  early_polls: 'asked for its place in the queue again and again before the time it was given',
  unknown_ids: 'asked with queue ids that do not exist',
  borrowed_ids: 'asked with queue ids of other addresses',
  replayed_ids: 'asked with queue ids that are in use',
  too_many_entries: 'asked for more places in the queue than one address may have',
};

export const OFFENCE_OF: Readonly<Record<QueueViolation, Offence>> = {
  early_polls: 'early_polls',
  unknown_id: 'unknown_ids',
  borrowed_id: 'borrowed_ids',
  replayed_id: 'replayed_ids',
  too_many_entries: 'too_many_entries',
};
