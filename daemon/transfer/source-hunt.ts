// What a download without sources says: what it lacks, and how the network is asked for it.

/** How far the search for the sources of a download is. */
export interface SourceHunt {
  /** How often the network was asked. */
  readonly asked: number;
  /** When it is asked again, milliseconds since 1970; null: not any more. */
  readonly nextAt: number | null;
}

/** Error text of a download without sources. */
export const NO_SOURCE = 'no source is known yet';
/** Beginning of the error text of a download that dropped all of its sources. */
export const NO_SOURCE_LEFT = 'no source is left';

/** Whether this is the error of a download that a new source helps. */
export function isWithoutSource(error: string | null): boolean {
  return error === NO_SOURCE || error?.startsWith(NO_SOURCE_LEFT) === true;
}
