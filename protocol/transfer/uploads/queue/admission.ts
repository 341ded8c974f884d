// What is asked of the upload queue and what it answers.
import type { Endpoint } from '../../../wire/endpoint.ts';
import type { AskedFile, QueueLevel } from './queue-entry.ts';

/** A request for a body. */
export interface SlotRequest {
  readonly connection: number;
  readonly address: string;
  readonly level: QueueLevel;
  /** The queue id that the client sent, of any form. */
  readonly id?: string | null;
  readonly agent?: string | null;
  /** Where its client listens, on the same address. */
  readonly node?: Endpoint | null;
  readonly file: AskedFile;
  readonly bytes: number;
  /** The range goes to the end of the file. */
  readonly toEnd: boolean;
  /** Connections run short: only the first few keep theirs while they wait. */
  readonly crowded?: boolean;
}

/** What a client is told of its place. */
export interface QueuePlace {
  /** Null: it speaks no PARQ. */
  readonly id: string | null;
  /** From 1. */
  readonly position: number;
  readonly length: number;
  /** Null: not known. */
  readonly etaSeconds: number | null;
  /** Earliest and latest next request, from now. */
  readonly retryMs: number;
  readonly lifetimeMs: number;
  /** It keeps its connection while it waits. */
  readonly active: boolean;
}

export type Admission =
  | { readonly kind: 'granted'; readonly id: string | null }
  /** `early`: it asked before its time; null: for the first time. */
  | { readonly kind: 'queued'; readonly place: QueuePlace; readonly early: boolean | null }
  /** No slot, and no place in the queue, or the asker does not know queues. */
  | { readonly kind: 'busy'; readonly retryMs: number }
  /** It asked again and again before its time: its place is gone. */
  | { readonly kind: 'early'; readonly retryMs: number };

/** Why an entry waits. */
export const WAIT_REASONS = [
  /** Its address has its share of the slots. */
  'address_share',
  /** All slots are taken. */
  'slots_taken',
  /** Those before it get the free slots. */
  'others_first',
  /** A slot is kept for its next request. */
  'slot_kept',
  /** It let its turn pass. */
  'passed_over',
] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

/** A waiting entry as admins see it. */
export interface QueueView {
  readonly id: string;
  readonly position: number;
  readonly length: number;
  readonly etaSeconds: number | null;
  /** From 1, the largest files. */
  readonly sizeClass: number;
  readonly why: WaitReason;
  /** Requests that came before their time. */
  readonly earlyPolls: number;
  /** It keeps its connection. */
  readonly active: boolean;
}

/** Client and file of an entry that waits without a connection. */
export interface AbsentView {
  readonly queue: QueueView;
  readonly address: string;
  readonly agent: string | null;
  readonly node: Endpoint | null;
  readonly file: AskedFile;
  /** Time of the call. */
  readonly since: number;
  /** Null: none. */
  readonly group: string | null;
}

/** What clients do that they should not. */
export const QUEUE_VIOLATIONS = [
  /** Ten requests before their time: the place is gone. */
  'early_polls',
  /** An id that we do not know (any more). */
  'unknown_id',
  /** The id of another address. */
  'borrowed_id',
  /** An id that is in use by a connection which is being sent to. */
  'replayed_id',
  /** More entries than one address may have. */
  'too_many_entries',
] as const;
export type QueueViolation = (typeof QUEUE_VIOLATIONS)[number];
