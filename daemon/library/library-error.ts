// Errors of sharing a folder.
import { CodedError } from '../../protocol/errors.ts';

export type LibraryErrorCode =
  | 'LIBRARY_FOLDER_MISSING'
  | 'LIBRARY_FOLDER_UNREADABLE'
  | 'LIBRARY_NOT_A_FOLDER'
  | 'LIBRARY_FOLDER_OVERLAPS'
  | 'LIBRARY_FOLDER_PRIVATE'
  | 'LIBRARY_FOLDER_REFUSED'
  | 'LIBRARY_FOLDER_UNKNOWN'
  | 'LIBRARY_BUSY';

export class LibraryError extends CodedError<LibraryErrorCode> {}

/** The code of a system error, or the error's name. */
export function systemCode(error: unknown): string {
  if (error instanceof Error) return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return String(error);
}
