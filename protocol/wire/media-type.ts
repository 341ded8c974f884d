// Media types: the GGEP M mask of queries, and the types of files by the extension of their names.
import { encodeGgepUint, type GgepItem, ggepPayload, readGgepUint } from './ggep.ts';

export const MEDIA_TYPES = ['audio', 'video', 'document', 'image', 'program', 'torrent'] as const;
export type MediaType = (typeof MEDIA_TYPES)[number];

/** Bits of GGEP M (LimeWire, gtk-gnutella). LimeWire has no bit for torrents. */
export const MediaBit = {
  Audio: 0x04,
  Video: 0x08,
  Document: 0x10,
  Image: 0x20,
  Windows: 0x40,
  Unix: 0x80,
  Torrent: 0x100,
} as const;

const PROGRAM = MediaBit.Windows | MediaBit.Unix;
const MASK_OF: Readonly<Record<MediaType, number>> = {
  audio: MediaBit.Audio,
  video: MediaBit.Video,
  document: MediaBit.Document,
  image: MediaBit.Image,
  program: PROGRAM,
  torrent: MediaBit.Torrent,
};
const ALL = 0x1fc;

/** Extensions by bits; archives count as programs of both systems, as in LimeWire. */
const EXTENSIONS: readonly (readonly [bits: number, extensions: string])[] = [
  [
    MediaBit.Audio,
    'aac ac3 aif aifc aiff ape au dts flac m4a m4b mid midi mka mp1 mp2 mp3 mpa mpc oga ogg opus ra ram',
  ],
  [MediaBit.Audio, 'snd spx tta voc wav wma wv'],
  [
    MediaBit.Video,
    '3g2 3gp asf avi divx flv m1v m2ts m2v m4v mk3d mkv mov mp4 mpe mpeg mpg mts mxf ogm ogv qt rm rmvb',
  ],
  [MediaBit.Video, 'swf ts vob webm wmv'],
  [
    MediaBit.Document,
    'abw azw3 chm csv djvu doc docm docx dvi eml epub fb2 htm html ics info latex lit log lyx man md',
  ],
  [
    MediaBit.Document,
    'mobi nfo odp ods odt pdb pdf pps ppt pptx rdf rss rtf srt sub tex texi txt wpd xhtml xls xlsx xml xps',
  ],
  [MediaBit.Document | MediaBit.Image, 'eps ps'],
  [
    MediaBit.Image,
    'avif bmp cr2 emf gif heic ico jfif jpe jpeg jpg jxl nef pcx pgm png pnm ppm psd raw svg tga tif tiff',
  ],
  [MediaBit.Image, 'webp wmf xbm xcf xpm'],
  [MediaBit.Windows, 'ace appx arj bat cab cmd com exe lha lzh msi msix msp nrg'],
  [MediaBit.Unix, 'appimage bz2 deb dmg flatpak gz hqx lz lzma pkg rpm run sh shar sit snap tar tbz tgz txz xz z zst'],
  [PROGRAM, '7z apk bin cue img iso jar rar zip'],
  [MediaBit.Torrent, 'torrent'],
];
const EXTENSION_CHARACTERS_MAX = 8;

const bitsByExtension = new Map(
  EXTENSIONS.flatMap(([bits, extensions]) => extensions.split(' ').map(extension => [extension, bits] as const)),
);

/** MediaBit bits of a file name; 0: of no known type. */
export function mediaBitsOf(name: string): number {
  const dot = name.lastIndexOf('.');
  if (dot < 0 || name.length - dot - 1 > EXTENSION_CHARACTERS_MAX) return 0;
  return bitsByExtension.get(name.slice(dot + 1).toLowerCase()) ?? 0;
}

/** The first type of a file name; null: of no known type. */
export function mediaTypeOf(name: string): MediaType | null {
  const bits = mediaBitsOf(name);
  return MEDIA_TYPES.find(type => (bits & MASK_OF[type]) !== 0) ?? null;
}

/** Whether a file name is of one of the wanted types; 0: any file. */
export function isOfMedia(name: string, wantedBits: number): boolean {
  return wantedBits === 0 || (mediaBitsOf(name) & wantedBits) !== 0;
}

export function mediaMask(types: readonly MediaType[]): number {
  let bits = 0;
  for (const type of types) bits |= MASK_OF[type];
  return bits;
}

/** The bits that a query asks for with GGEP M; 0: any file, also when it has none of the known bits, as in LimeWire. */
export function wantedMedia(ggep: readonly GgepItem[]): number {
  if (ggep.length === 0) return 0;
  const payload = ggepPayload(ggep, 'M');
  return payload === null ? 0 : (readGgepUint(payload) ?? 0) & ALL;
}

export function mediaGgep(bits: number): GgepItem {
  return { id: 'M', payload: encodeGgepUint(bits) };
}
