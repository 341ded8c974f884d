// Reads the file that describes a sweep: YAML, and so JSON.
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Plan } from '../../sim/sweep/plan.ts';
import { CommandError, explain, usageError } from '../failure.ts';
import { inSimulator } from '../in-simulator.ts';
import type { Terminal } from '../terminal.ts';
import { BOUNDS } from './bounds.ts';

const BYTES_MAX = 1 << 20;

/** Throws a usage error that says what to change in the file. */
export async function readPlan({ cwd }: Pick<Terminal, 'cwd'>, given: string): Promise<Plan> {
  const [{ MODELS }, { planOf, PlanError }] = await Promise.all([inSimulator.models(), inSimulator.plan()]);
  const file = resolve(cwd, given);
  const document = await parsed(file);
  try {
    return planOf(document, MODELS, BOUNDS);
  } catch (error) {
    if (error instanceof PlanError) throw usageError(`${file}: ${error.message}`);
    throw error;
  }
}

async function parsed(file: string): Promise<unknown> {
  const text = await textOf(file);
  const { parse, YAMLParseError } = await import('yaml');
  try {
    return parse(text, { maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof YAMLParseError) throw usageError(`${file} is neither YAML nor JSON: ${error.message}`);
    throw error;
  }
}

async function textOf(file: string): Promise<string> {
  try {
    if ((await stat(file)).size > BYTES_MAX)
      throw usageError(`${file} has more than ${BYTES_MAX} bytes: it is no sweep`);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw usageError(explain(error));
  }
}
