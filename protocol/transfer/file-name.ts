// Makes names from the wire safe for file systems and terminals: no path, no reserved or control characters.

/** LimeWire's limit; leaves room for ` (12).part` in the 255 bytes that file systems allow. */
const NAME_BYTES_MAX = 180;
const EXTENSION_BYTES_MAX = 20;
/** For text in which there is no name. */
export const NO_NAME = 'noname';

/** Device names of Windows, reserved with any extension. */
const RESERVED = /^(?:con|aux|prn|nul|com[1-9]|lpt[1-9])(?:\..*)?$/i;
const CONTROLS = /\p{Cc}/gu;
/** Bidirectional and invisible marks, which can disguise an extension, and Hangul fillers, which look like spaces. */
const INVISIBLE = /(?![\u200c\u200d])\p{Cf}|[\u2028\u2029\u115f\u1160\u3164\uffa0]/gu;
/** Zero-width joiners: scripts such as Persian and Hindi need them between letters, which may have marks. */
const STRAY_JOINERS = /(?<![\p{L}\p{M}])[\u200c\u200d]|[\u200c\u200d](?!\p{L})/gu;
const FORBIDDEN = /[/\\:*?"<>|]/g;

/** Any text gives a usable name of at most 180 bytes of UTF-8, the extension kept. Same text, same name; safe names come back unchanged. */
export function safeFileName(text: string): string {
  const wellFormed = Buffer.from(text, 'utf8').toString('utf8'); // a lone surrogate becomes U+FFFD
  const visibleText = wellFormed.replace(INVISIBLE, '').replace(STRAY_JOINERS, '');
  const base = visibleText.normalize('NFC').split(/[/\\]/).at(-1) ?? '';
  const plain = base.replace(CONTROLS, '_').replace(FORBIDDEN, '_').trim();
  const visible = plain.replace(/^[.-]/, '_').replace(/[. ]+$/, '');
  const named = visible === '' || RESERVED.test(visible) ? NO_NAME : visible;
  return shorten(named);
}

/** `name.ext` → `name (2).ext`. */
export function numberedName(name: string, number: number): string {
  const { stem, extension } = split(name);
  return `${stem} (${number})${extension}`;
}

/** The last dot counts when there is something before it and not too much after. */
function split(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? name.slice(dot) : '';
  if (extension === '' || Buffer.byteLength(extension) > EXTENSION_BYTES_MAX) return { stem: name, extension: '' };
  return { stem: name.slice(0, dot), extension };
}

function shorten(name: string): string {
  if (Buffer.byteLength(name) <= NAME_BYTES_MAX) return name;
  const { stem, extension } = split(name);
  const bytesMax = NAME_BYTES_MAX - Buffer.byteLength(extension);
  let kept = '';
  let bytes = 0;
  for (const character of stem) {
    bytes += Buffer.byteLength(character);
    if (bytes > bytesMax) break;
    kept += character;
  }
  return `${kept.trimEnd().replace(/[. \u200c\u200d]+$/, '') || NO_NAME}${extension}`;
}
