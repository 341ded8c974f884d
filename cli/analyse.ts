// analyse: answers questions about recordings, in files or in ClickHouse.
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Value } from '../measure/question.ts';
import { questionNamed, questionNames, questions } from '../measure/questions.ts';
import { csv } from './csv.ts';
import { CommandError, EXIT_FAILURE, usageError } from './failure.ts';
import { type Analysis, inProcess } from './in-process.ts';
import { inSimulator } from './in-simulator.ts';
import { wholeNumber } from './numbers.ts';
import { outputOptions } from './output.ts';
import { type Column, table } from './table.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

interface AnalyseFlags {
  dataDir?: string;
  recording?: string[];
  clickhouse?: string;
  cluster?: string;
  json?: true;
  csv?: true;
  plot?: true;
  svg?: string;
  top: number;
}

const TOP_DEFAULT = 50;
const TOP_MAX = 100_000;
const COLUMNS = 80;

export function analyseCommand(terminal: Terminal): Command {
  return outputOptions(
    new Command('analyse').description('answer a question about recordings; without one, list the questions'),
  )
    .argument('[question]', 'one of the questions that "servent analyse" lists')
    .option('--recording <path...>', 'folders of recordings, or segments (default: the folder of this servent)')
    .option('--data-dir <dir>', 'data folder of the servent whose recording is read')
    .option('--clickhouse <url>', 'ask this ClickHouse server instead of files')
    .option('--cluster <name>', 'with --clickhouse: ask all shards of this cluster')
    .option('--csv', 'print CSV')
    .option('--plot', 'draw the answer in the terminal')
    .option('--svg <file>', 'write the picture to this file')
    .option('--top <n>', 'most rows of questions that list what is most frequent', wholeNumber(1, TOP_MAX), TOP_DEFAULT)
    .action(async (name: string | undefined, flags: AnalyseFlags) => {
      if (name === undefined) return listQuestions(terminal, flags);
      if (questionNamed(name) === null)
        throw usageError(`there is no question ${name}: there are ${questionNames.join(', ')}`);
      if (flags.cluster !== undefined && flags.clickhouse === undefined)
        throw usageError('--cluster goes with --clickhouse URL');
      await show(terminal, await answered(terminal, name, flags), flags);
    });
}

function listQuestions(terminal: Terminal, { json }: AnalyseFlags): void {
  const rows = questionNames.map(name => ({
    name,
    teaches: questions[name].teaches,
    columns: questions[name].columns,
  }));
  if (json === true) {
    printJson(terminal, rows);
    return;
  }
  print(
    terminal,
    table<(typeof rows)[number]>(
      [
        { title: 'QUESTION', of: row => row.name },
        { title: 'TEACHES', of: row => row.teaches },
      ],
      rows,
    ),
  );
}

async function answered(terminal: Terminal, name: string, flags: AnalyseFlags): Promise<Analysis> {
  const { analyse, AnalysisError, openClickHouse, openDuckDb } = await inProcess.analysis();
  const say = (text: string): void => note(terminal, text);
  try {
    const engine =
      flags.clickhouse === undefined
        ? await openDuckDb(
            (flags.recording ?? [await usualFolder(flags, terminal)]).map(path => resolve(terminal.cwd, path)),
          )
        : await openClickHouse(flags.clickhouse, flags.cluster ?? null, say);
    try {
      return await analyse(engine, name, flags.top);
    } finally {
      await engine.close();
    }
  } catch (error) {
    if (error instanceof AnalysisError) throw new CommandError(error.message, EXIT_FAILURE);
    throw error;
  }
}

/** Where the servent of this machine records, by its variables and its configuration file. */
async function usualFolder({ dataDir }: AnalyseFlags, { env, cwd }: Terminal): Promise<string> {
  const { resolveSettings } = await import('../settings/resolve.ts');
  const { settings } = await resolveSettings({ flags: dataDir === undefined ? {} : { dataDir }, env, cwd });
  return settings.recording.folder;
}

async function show(terminal: Terminal, analysis: Analysis, flags: AnalyseFlags): Promise<void> {
  const { question, rows, series, seconds, engine } = analysis;
  const { figuresOf, svgOf, textOf } = await inSimulator.figures();
  const [figure] = figuresOf(question, series);
  if (flags.svg !== undefined) {
    const file = resolve(terminal.cwd, flags.svg);
    if (figure === undefined) throw new CommandError(`${question} has no picture`, EXIT_FAILURE);
    await writeFile(file, svgOf(figure));
    note(terminal, `written: ${file}`);
  }
  if (flags.json === true) return printJson(terminal, analysis, analysis.rows);
  if (flags.csv === true) {
    terminal.stdout.write(csv(rows));
    return;
  }
  const names = Object.keys(rows[0] ?? {});
  if (rows.length === 0) note(terminal, `${question}: the recording has no rows for it`);
  else print(terminal, table(names.map(column), [...rows]));
  if (flags.plot === true && figure !== undefined && rows.length > 0)
    print(terminal, `\n${textOf(figure, Math.min(terminal.stdout.columns ?? COLUMNS, 120))}`);
  note(terminal, `${rows.length} rows in ${seconds.toFixed(2)} s by ${engine}`);
}

const column = (name: string): Column<Readonly<Record<string, Value>>> => ({
  title: name.toUpperCase().replaceAll('_', ' '),
  of: row => cellOf(row[name] ?? ''),
  right: name !== 'word' && name !== 'text' && name !== 'vendor',
});

function cellOf(value: Value): string {
  if (typeof value !== 'number') return (value ?? '').replace(/\p{C}/gu, '·');
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}
