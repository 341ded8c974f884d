// What a file system says of a file that programs cannot set. See docs/adr/0011-change-time-and-inode.md.

export interface Evidence {
  /** Time of the last change of content, name, rights or dates, milliseconds since 1970. */
  readonly ctimeMs: number;
  /** Number of the file on its file system. It keeps it when it is renamed; another file may get it when it is deleted. */
  readonly ino: number;
  /** When the file got its number; 0 where the file system does not tell. */
  readonly birthtimeMs: number;
}

/** Names a file whatever its path; null where the file system does not tell enough. */
export function inodeOf({ ino, birthtimeMs }: Evidence): string | null {
  return ino === 0 || birthtimeMs === 0 ? null : `${ino} ${birthtimeMs}`;
}
