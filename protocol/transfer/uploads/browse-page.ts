// Browse host: encodes the list of shared files as an HTML page for a web browser.
import type { SharedFile } from '../../search/shared-file.ts';
import { escapeXml } from '../../wire/lime-xml.ts';
import { formatSha1Urn } from '../../wire/urn.ts';
import { BROWSE_FILES_MAX, type BrowsableFile } from './browse-hits.ts';

export const PAGE_HEADERS = [
  ['Content-Type', 'text/html; charset=utf-8'],
  // nothing of the page runs or is loaded, should a name ever get past the escapes
  ['Content-Security-Policy', "default-src 'none'"],
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'no-referrer'],
] as const;

const ROWS_A_PIECE = 100;
const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/**
 * The page in pieces of some KiB, made when they are asked for. It lists at most `rowsMax` files and says when there are more. Names are
 * escaped, and isolated (bdi) so that their marks of direction do not reorder the text around them.
 */
export function* browsePage(
  files: Iterable<BrowsableFile>,
  title: string,
  rowsMax = BROWSE_FILES_MAX,
): Generator<Buffer> {
  let text = opening(escapeXml(title));
  let rows = 0;
  let isCut = false;
  for (const file of files) {
    if (rows === rowsMax) {
      isCut = true;
      break;
    }
    text += row(file);
    if (++rows % ROWS_A_PIECE !== 0) continue;
    yield Buffer.from(text, 'utf8');
    text = '';
  }
  yield Buffer.from(`${text}</tbody>\n</table>\n<p>${summary(rows, isCut)}</p>\n</body>\n</html>\n`, 'utf8');
}

const opening = (title: string): string =>
  `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Files shared by ${title}</title>
</head>
<body>
<h1>Files shared by ${title}</h1>
<table>
<thead><tr><th>Name</th><th>Folder</th><th>Size</th></tr></thead>
<tbody>
`;

function row(file: BrowsableFile): string {
  const name = `<a href="${hrefOf(file)}"><bdi>${escapeXml(file.name)}</bdi></a>`;
  const folder = `<bdi>${escapeXml(file.seenFolder ?? '')}</bdi>`;
  return `<tr><td>${name}</td><td>${folder}</td><td>${sizeText(file.size)}</td></tr>\n`;
}

/** By content, so that a link holds for as long as the file is shared. Relative: the reader knows under which address it reached us. */
const hrefOf = ({ sha1 }: SharedFile): string => `/uri-res/N2R?${formatSha1Urn(sha1)}`;

function summary(rows: number, isCut: boolean): string {
  if (isCut) return `Only the first ${rows} files are listed; there are more.`;
  if (rows === 0) return 'No files are shared.';
  return rows === 1 ? '1 file.' : `${rows} files.`;
}

/** As gtk-gnutella writes it: three or four digits and a binary unit. */
function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes;
  let unit = -1;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(value < 100 ? 2 : 1)} ${UNITS[unit]}`;
}
