// Addresses of the setting `uploads.neverBan`.
import { BlockedRanges } from '../../protocol/wire/block-list.ts';
import { rangeOfAddresses } from '../../protocol/wire/block-list-text.ts';
import type { Settings } from '../../settings/settings.ts';

/** Reads the setting anew when it has changed. The address is canonical. */
export function neverBanned(settings: Settings): (address: string) => boolean {
  let blocks: readonly string[] = [];
  let ranges = new BlockedRanges([]);
  return address => {
    const { neverBan } = settings.uploads;
    if (neverBan !== blocks) {
      blocks = neverBan;
      ranges = new BlockedRanges(neverBan.map(rangeOfAddresses).filter(range => range !== null));
    }
    return ranges.has(address);
  };
}
