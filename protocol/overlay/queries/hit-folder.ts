// In which folder a servent has a file: GGEP PATH of a hit record, a path below what it shares.
import type { Hit } from '../../wire/query-hit.ts';
import { decodeText } from '../../wire/text.ts';

const BYTES_MAX = 1024;

/** `/` between its parts, none at the ends; null: it does not say, or says what is no folder. */
export function folderIn({ ggep }: Pick<Hit, 'ggep'>): string | null {
  const path = ggep.find(({ id }) => id === 'PATH')?.payload;
  if (path === undefined || path.length > BYTES_MAX) return null;
  const parts = decodeText(path, 0, path.length)
    .split(/[/\\]/)
    .filter(part => part !== '' && part !== '.');
  return parts.length === 0 || parts.includes('..') ? null : parts.join('/');
}

/** Whether a folder is the one of that name or path, or lies in it; case does not matter. */
export function isInFolder(folder: string | null, wanted: string): boolean {
  if (folder === null) return false;
  const path = `/${folder.toLowerCase()}/`;
  return path.includes(`/${wanted.toLowerCase().replace(/^\/+|\/+$/g, '')}/`);
}
