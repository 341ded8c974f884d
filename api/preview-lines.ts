// Says in lines what strangers would see of a folder before it is shared. Pure; for dashboard and web page.
import type { PreviewView } from './control.ts';
import { counted, formatBytes, formatLeftOut, printable } from './format.ts';

export interface PreviewLines {
  readonly summary: string;
  /** A file a line, as strangers see it. */
  readonly seen: readonly string[];
  /** What is left out a line, with its rule. */
  readonly leftOut: readonly string[];
  /** What was not looked at or is not listed. */
  readonly notes: readonly string[];
}

export function previewLines(preview: PreviewView): PreviewLines {
  const { path, files, bytes, seen, seenMore, leftOut, leftOutMore, byRule, cut } = preview;
  const below = (of: string): string => printable(of.startsWith(`${path}/`) ? of.slice(path.length + 1) : of);
  const omitted = byRule.length === 0 ? 'nothing is left out' : `left out: ${formatLeftOut(byRule)}`;
  return {
    summary: `Strangers would see ${counted(files, 'file')}, ${formatBytes(bytes)}, of ${printable(path)}; ${omitted}.`,
    seen: seen.map(({ name, size, folder }) =>
      printable(`${folder === null || folder === '' ? '' : `${folder}/`}${name} (${formatBytes(size)})`),
    ),
    leftOut: leftOut.map(({ path, kind, rule, why }) =>
      printable(`${below(path)}${kind === 'folder' ? '/' : ''}: ${why} (${rule})`),
    ),
    notes: [
      ...(seenMore > 0 ? [`${counted(seenMore, 'file')} more would be seen`] : []),
      ...(leftOutMore > 0 ? [`${leftOutMore} more would be left out`] : []),
      ...(cut === null ? [] : [cut]),
    ],
  };
}
