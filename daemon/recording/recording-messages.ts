// Messages between the recorder and its thread.
import type { Segment } from '../../measure/segment.ts';
import type { TableName } from '../../measure/tables.ts';

/** What the thread is started with. */
export interface RecordingWorkerData {
  readonly folder: string;
  readonly bytesMax: number;
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly servent: string;
  readonly run: string;
  /** Salt of the hashes of words; null: words are recorded as they are. */
  readonly salt: Uint8Array | null;
  /** Database that rows are sent to; null: they stay in files. */
  readonly url: string | null;
}

export type RecordingRequest =
  | { readonly kind: 'rows'; readonly bytes: Uint8Array; readonly count: number }
  | { readonly kind: 'list'; readonly id: number }
  | { readonly kind: 'bound'; readonly bytesMax: number }
  | { readonly kind: 'hash'; readonly salt: Uint8Array | null }
  | { readonly kind: 'stop' };

/** Why rows are lost; each is counted. */
export const LOSSES = ['queue_full', 'disk', 'broken', 'unsent'] as const;
export type Loss = (typeof LOSSES)[number];

/** What the thread has done so far. */
export interface RecordingCounts {
  readonly rows: Readonly<Partial<Record<TableName, number>>>;
  readonly lost: Readonly<Partial<Record<Loss, number>>>;
  /** Rows that the database has. */
  readonly sent: number;
  readonly segments: number;
  readonly bytes: number;
}

export type RecordingReply =
  | { readonly kind: 'written'; readonly bytes: number; readonly counts: RecordingCounts }
  | { readonly kind: 'segments'; readonly id: number; readonly segments: readonly Segment[] }
  /** A line for people: what does not work, or that it works again. */
  | {
      readonly kind: 'said';
      readonly about: 'disk' | 'database' | 'journal';
      readonly level: 'warn' | 'info';
      readonly trouble: boolean;
      readonly text: string;
    }
  | { readonly kind: 'removed'; readonly segment: Segment }
  | { readonly kind: 'stopped'; readonly counts: RecordingCounts };
