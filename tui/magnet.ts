// The magnet link of something with a hash, to be copied. Pure.
import { formatMagnet } from '../protocol/wire/magnet.ts';
import { urnOrNull } from '../protocol/wire/urn.ts';

/** null without a hash that others could ask for. */
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
