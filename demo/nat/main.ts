// Two firewalled servents exchange a file; with --matrix, each kind of router and firewall with each other.
import { say } from '../stage.ts';
import { MATRIX_KINDS, printTable, runMatrix } from './matrix.ts';
import { missingHere } from './namespaces.ts';
import { isPlaceKind, PLACE_KINDS } from './place-kind.ts';
import { playNat } from './play.ts';
import { makeRunFolder } from './run-folder.ts';

const MATRIX_BYTES = 50_000_000;

/** Exit code. */
export async function demonstrateNat(words: readonly string[]): Promise<number> {
  const missing = await missingHere();
  if (missing !== null) {
    say(`Skipped, as no laboratory can be built here: ${missing}.`);
    return 0;
  }
  // namespaces and folders are removed as the process exits
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const) {
    process.once(signal, () => process.exit(128 + number));
  }
  const folder = makeRunFolder();
  if (words.includes('--matrix')) return matrix(folder, words);
  await playNat(folder);
  say('\nThe files came over and are verified.');
  return 0;
}

async function matrix(folder: string, words: readonly string[]): Promise<number> {
  const value = (flag: string) => words.find(word => word.startsWith(`${flag}=`))?.slice(flag.length + 1);
  const wanted = value('--kinds')?.split(',');
  const kinds = wanted?.filter(isPlaceKind) ?? MATRIX_KINDS;
  if (wanted !== undefined && kinds.length < wanted.length) {
    say(`--kinds: expected some of ${PLACE_KINDS.join(', ')}, separated by commas`);
    return 2;
  }
  const outcomes = await runMatrix({
    folder,
    kinds,
    bytes: Number(value('--bytes') ?? MATRIX_BYTES),
    delayMs: Number(value('--delay-ms') ?? 0),
  });
  printTable(outcomes, kinds);
  const failed = outcomes.filter(({ error }) => error !== null).length;
  say(
    failed === 0
      ? `\nAll ${outcomes.length} pairs have exchanged the file.`
      : `\n${failed} of ${outcomes.length} pairs failed.`,
  );
  return failed === 0 ? 0 : 1;
}
