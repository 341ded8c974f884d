// Judges by name, size and play facts whether a file can be what its name says. Rules without exceptions among honest files only.
import { MediaBit, mediaBitsOf } from '../wire/media-type.ts';

/** Extensions that Windows runs. */
const RUN = 'exe|com|scr|pif|bat|cmd|cpl|vbs|vbe|js|jse|wsf|hta|lnk|msi|jar|ps1';
const RUNS = new RegExp(`\\.(?:${RUN})$`, 'i');
/** The extension before that of a program, blanks and signs between them left out: `song.mp3 .exe`. */
const BEFORE_RUN = new RegExp(`(.\\.[a-z0-9]{2,4})[\\s._-]{0,64}\\.(?:${RUN})$`, 'i');
/** So many blanks push the extension out of sight in a list of files. */
const BLANKS_BEFORE_RUN = new RegExp(`\\s{8}\\.(?:${RUN})$`, 'i');
/** Right-to-left override shows `gpm.exe` as `exe.mpg`; left-to-right override is used with it. */
const OVERRIDE = /[\u202d\u202e]/;
const SHOWN = MediaBit.Audio | MediaBit.Video | MediaBit.Image;
const DOCUMENTS = new Set('pdf doc docx xls xlsx ppt pptx txt rtf epub mobi htm html'.split(' '));
/** Beyond this nothing is looked at: names come from strangers. */
const NAME_CHARACTERS_MAX = 512;

const KIB = 1024;
/** Bytes below which no file of the type has content: a second of video, a quarter of a second of music, an empty archive. */
const SMALLEST: readonly (readonly [bytes: number, extensions: string])[] = [
  [16 * KIB, 'avi mpg mpeg mp4 m4v mkv wmv asf divx vob rm rmvb ogm webm flv m2ts'],
  [2 * KIB, 'mp3 wma m4a flac ape'],
  [34 * KIB, 'iso'], // its first descriptor is in sector 16 of 2,048 bytes, its last one behind
  [97, 'exe'],
  [32, '7z'],
  [22, 'zip'],
  [20, 'rar'],
];
/** Bytes above which no file of the type is what it says. */
const LARGEST: readonly (readonly [bytes: number, extensions: string])[] = [
  [16 * KIB * KIB, 'mid midi'],
  [64 * KIB * KIB, 'torrent'],
];
const byExtension = (table: typeof SMALLEST): ReadonlyMap<string, number> =>
  new Map(table.flatMap(([bytes, names]) => names.split(' ').map(name => [name, bytes] as const)));
const smallest = byExtension(SMALLEST);
const largest = byExtension(LARGEST);
/** A file has at least a quarter of the bytes that its playing time and bit rate make. */
const PLAYED_SHARE_MIN = 0.25;

/** Whether a program is named as something to play, look at or read. */
export function isDisguised(name: string): boolean {
  const end = name.slice(-NAME_CHARACTERS_MAX);
  if (!RUNS.test(end)) return OVERRIDE.test(end);
  if (OVERRIDE.test(end) || BLANKS_BEFORE_RUN.test(end)) return true;
  const before = BEFORE_RUN.exec(end)?.[1];
  if (before === undefined) return false;
  return (mediaBitsOf(before) & SHOWN) !== 0 || DOCUMENTS.has(extensionOf(before));
}

/** Whether Windows runs it when it is opened. */
export const isRun = (name: string): boolean => RUNS.test(name);

export interface PlayClaim {
  readonly seconds: number | null;
  readonly kbps: number | null;
}

/** Why no file of its type has this size, in words; null: it may. */
export function impossibleSize(name: string, size: number, { seconds, kbps }: PlayClaim): string | null {
  const extension = extensionOf(name);
  const least = smallest.get(extension);
  if (least !== undefined && size < least) return `${size} bytes are too few for .${extension}`;
  const most = largest.get(extension);
  if (most !== undefined && size > most) return `${size} bytes are too many for .${extension}`;
  if ((mediaBitsOf(name) & (MediaBit.Audio | MediaBit.Video)) === 0 || seconds === null || kbps === null) return null;
  const played = seconds * kbps * 125;
  return size < played * PLAYED_SHARE_MIN
    ? `${size} bytes are too few for ${Math.round(seconds)} s at ${kbps} kbit/s`
    : null;
}

function extensionOf(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1).toLowerCase();
}
