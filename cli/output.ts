// Options for the output format: table, JSON, JSON lines, CSV, template.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { usageError } from './failure.ts';
import { templateOf } from './template.ts';
import { OUTPUT_FORMATS, type OutputFormat, type Terminal } from './terminal.ts';

export function outputOptions(command: Command): Command {
  return command
    .option('--json', 'print JSON; short for --output json')
    .addOption(new Option('-o, --output <format>', 'output format').choices([...OUTPUT_FORMATS]).argParser(formatOf))
    .option(
      '--template <text>',
      'print this text for each row, for example "{{.id}} {{json .name}}"; or -o template=TEXT',
    );
}

const TEMPLATE = 'template=';

function formatOf(text: string): string {
  if (text.startsWith(TEMPLATE) || OUTPUT_FORMATS.some(format => format === text)) return text;
  throw new InvalidArgumentError(`Allowed choices are ${OUTPUT_FORMATS.join(', ')}.`);
}

/** Stores the chosen format in the terminal, and sets the flag `json` for any but the table. */
export function chooseOutput(command: Command, terminal: { -readonly [K in keyof Terminal]: Terminal[K] }): void {
  const { output, template } = command.opts<{ output?: string; template?: string }>();
  const text = template ?? (output?.startsWith(TEMPLATE) === true ? output.slice(TEMPLATE.length) : undefined);
  const format = (text === undefined ? output : 'template') as OutputFormat | undefined;
  if (format === undefined) return;
  if (template !== undefined && output !== undefined && output !== 'template')
    throw usageError(`--template is for --output template, not for ${output}`);
  if (format === 'template') {
    if (text === undefined) throw usageError('--output template needs --template TEXT, such as "{{.id}}"');
    terminal.template = templateOf(text);
  }
  terminal.format = format;
  command.setOptionValue('json', format !== 'table');
}
