// Renders screens as text for the documents. Deterministic.
import { Rehearsal } from './rehearsal.ts';

interface Scene {
  readonly title: string;
  readonly columns: number;
  readonly rows: number;
  readonly keys: readonly string[];
}

const WARM_UP_MS = 75_000;

const scenes: readonly Scene[] = [
  { title: 'Overview', columns: 100, rows: 30, keys: ['1'] },
  { title: 'Peers', columns: 100, rows: 24, keys: ['2'] },
  { title: 'Queries', columns: 120, rows: 34, keys: ['3', 'p', 'down', 'down', 'enter', 'enter'] },
  { title: 'Searches', columns: 100, rows: 30, keys: ['4', 'down', 'down', 'tab', 'space', 'down', 'space'] },
  { title: 'Downloads', columns: 100, rows: 30, keys: ['5', 'enter'] },
];

export async function pictures(): Promise<(readonly [title: string, text: string])[]> {
  const shown: (readonly [string, string])[] = [];
  for (const { title, columns, rows, keys } of scenes) {
    const rehearsal = new Rehearsal({ columns, rows });
    await rehearsal.pass(WARM_UP_MS);
    await rehearsal.press(...keys);
    await rehearsal.pass(1000);
    shown.push([title, rehearsal.text()]);
  }
  return shown;
}

const BLOCK = /(<!-- picture: (\w+) -->\n)[\s\S]*?(<!-- \/picture -->)/g;

/** Replaces the marked pictures of a document. */
export function withPicture(text: string, shown: readonly (readonly [title: string, text: string])[]): string {
  return text.replace(BLOCK, (whole, start: string, wanted: string, end: string) => {
    const picture = shown.find(([title]) => title === wanted)?.[1];
    return picture === undefined ? whole : `${start}\`\`\`text\n${picture}\n\`\`\`\n${end}`;
  });
}
