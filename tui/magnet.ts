// Makes magnet links to copy. Pure.
import { formatMagnet } from '../protocol/wire/magnet.ts';
import { urnOrNull } from '../protocol/wire/urn.ts';

/** Returns the magnet link; null without a hash. */
export function magnetOf({
  name,
  size,
  urn,
}: {
  name: string;
  size: number | null;
  urn: string | null;
}): string | null {
  const hashes = urn === null ? null : urnOrNull(urn);
  if (hashes === null || hashes.sha1 === null) return null;
  return formatMagnet({ name, size, ...hashes, sources: [], keywords: [] });
}
