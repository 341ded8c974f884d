// Why a result looks like spam or a fake.
export const SPAM_REASONS = [
  'known_bad',
  'wrong_bytes',
  'disguised',
  'impossible_size',
  'many_types',
  'size_cluster',
  'echo',
] as const;
export type SpamReason = (typeof SPAM_REASONS)[number];

export interface SpamMark {
  readonly reason: SpamReason;
  /** The reason in words. */
  readonly text: string;
}
