// Figures of a simulation: drawn in the terminal, or written to files as CSV and SVG.
import { access, constants, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Series } from '../sim/model.ts';
import { csv } from './csv.ts';
import { inSimulator } from './in-simulator.ts';
import { note, print, type Terminal } from './terminal.ts';

export interface FigureFlags {
  plot?: boolean;
  csv?: string;
  svg?: string;
  json?: boolean;
}

const COLUMNS = 80;

export function figureOptions(command: Command): Command {
  return command
    .option('--plot', 'draw the figures in the terminal')
    .option('--csv <dir>', 'write the series of each figure to a CSV file in this folder')
    .option('--svg <dir>', 'write each figure to an SVG file in this folder');
}

/** Before a run, which may take long: throws when a folder cannot be written to. */
export async function makeFolders({ csv, svg }: FigureFlags, { cwd }: Terminal): Promise<void> {
  for (const folder of [csv, svg]) {
    if (folder === undefined) continue;
    await mkdir(resolve(cwd, folder), { recursive: true });
    await access(resolve(cwd, folder), constants.W_OK);
  }
}

/** Draws and writes what the flags ask for; `name` begins the names of files. */
export async function giveFigures(
  name: string,
  series: readonly Series[],
  flags: FigureFlags,
  terminal: Terminal,
): Promise<void> {
  if (flags.plot !== true && flags.csv === undefined && flags.svg === undefined) return;
  const { figuresOf, svgOf, textOf } = await inSimulator.figures();
  const figures = figuresOf(name, series);
  if (figures.length === 0) note(terminal, `${name} has no figures`);
  for (const figure of figures) {
    if (flags.plot === true && flags.json !== true)
      print(terminal, `\n${textOf(figure, Math.min(terminal.stdout.columns ?? COLUMNS, 120))}`);
    const file = `${name}-${slug(figure.labels[1])}`;
    if (flags.csv !== undefined) await write(terminal, flags.csv, `${file}.csv`, csv(figure.series.flatMap(rowsOf)));
    if (flags.svg !== undefined) await write(terminal, flags.svg, `${file}.svg`, svgOf(figure));
  }
}

const rowsOf = ({ name, x, y }: Series): { series: string; x: number; y: number | null }[] =>
  x.map((value, i) => ({ series: name, x: value, y: y[i] ?? null }));

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

async function write(terminal: Terminal, folder: string, file: string, text: string): Promise<void> {
  const path = join(resolve(terminal.cwd, folder), file);
  await writeFile(path, text);
  note(terminal, `written: ${path}`);
}
