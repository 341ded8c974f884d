// Reads the YAML configuration file with the position of each value, and edits it without losing comments.
import { readFile, stat } from 'node:fs/promises';
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { type Fault, nearest, SettingsError, shown, wrongValue } from './faults.ts';
import { declaration, type SettingKey, settingsList } from './settings.ts';

const FILE_BYTES_MAX = 1024 * 1024;
const settingsByKey = new Map(settingsList.map(({ key, setting }) => [key as string, setting]));

export interface FileValue {
  value: unknown;
  /** `FILE:LINE:COLUMN` */
  where: string;
}

export type FileValues = Map<SettingKey, FileValue>;

/** Reads the file. Throws SettingsError with all its faults. */
export async function readSettingsFile(file: string): Promise<FileValues> {
  return parseSettings(await readText(file), file);
}

/** Returns null when the file does not exist. */
export async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readText(file);
  } catch (error) {
    const { code } = (error as Error).cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw error;
  }
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > FILE_BYTES_MAX) throw new Error(`it has ${size} bytes; the maximum is ${FILE_BYTES_MAX}`);
    return await readFile(file, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SettingsError([{ key: '', text: `cannot read the configuration file ${file}: ${why}` }], cause);
  }
}

export function parseSettings(text: string, file: string): FileValues {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const faults: Fault[] = document.errors.map(error => ({
    key: '',
    text: `${at(error.pos[0])}: not valid YAML: ${error.message.split('\n')[0]}`,
  }));
  const values: FileValues = new Map();
  if (faults.length === 0) collect(document, declaration, [], values, faults, at);
  if (faults.length > 0) throw new SettingsError(faults);
  return values;
}

type Where = (offset: number) => string;

function collect(
  document: Document,
  level: object,
  path: string[],
  values: FileValues,
  faults: Fault[],
  at: Where,
): void {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  // A section whose keys are all commented out is null.
  if (node === null || (isScalar(node) && node.value === null)) return;
  const start = at((node as Node).range?.[0] ?? 0);
  if (!isMap(node)) {
    const what = path.length === 0 ? 'the file' : path.join('.');
    faults.push({
      key: path.join('.'),
      text: `${what}: expected keys below it, got ${shown((node as Node).toJS(document))} (${start})`,
    });
    return;
  }
  for (const pair of node.items) {
    const name = isScalar(pair.key) ? String(pair.key.value) : '';
    const where = at((pair.key as Node).range?.[0] ?? 0);
    const key = [...path, name].join('.');
    const setting = settingsByKey.get(key);
    if (setting === undefined && Object.hasOwn(level, name)) {
      collect(document, level[name as keyof typeof level], [...path, name], values, faults, at);
      continue;
    }
    if (setting === undefined) {
      faults.push(unknownKey(key, path, level, where));
      continue;
    }
    const node = pair.value as Node | null;
    const value: unknown = node === null ? null : node.toJS(document);
    const checked = setting.check(value);
    if (checked.ok) values.set(key as SettingKey, { value: checked.value, where });
    else {
      // For a list, reports the position of the item.
      const wrong = checked.item !== null && isSeq(node) ? (node.items[checked.item] as Node) : node;
      const place = at(wrong?.range?.[0] ?? (pair.key as Node).range?.[0] ?? 0);
      const expected = checked.expected ?? setting.expected;
      faults.push(wrongValue(key as SettingKey, expected, wrong === null ? null : wrong.toJS(document), place));
    }
  }
}

function unknownKey(key: string, path: string[], level: object, where: string): Fault {
  const siblings = Object.keys(level).map(name => [...path, name].join('.'));
  const name = key.slice(key.lastIndexOf('.') + 1);
  // The key exists in another section, such as `port` at the top level.
  const elsewhere = settingsList.map(row => row.key as string).filter(known => known.endsWith(`.${name}`));
  const near = nearest(key, siblings) ?? elsewhere[0] ?? nearest(key, settingsByKey.keys());
  const hint = near === null ? '`servent config show` lists the keys' : `did you mean ${near}?`;
  return { key, text: `unknown key ${key} (${where}); ${hint}` };
}

/** Returns the text with one setting changed or, for `undefined`, removed; the rest is unchanged. */
export function editSettings(text: string, file: string, key: SettingKey, value: unknown): string {
  const document = parseDocument(text);
  if (document.errors.length > 0) parseSettings(text, file);
  const path = key.split('.');
  if (value === undefined) takeOut(document, path);
  else {
    const [section] = path;
    // `gnutella:` without keys is a scalar, to which no key can be added.
    if (path.length > 1 && section !== undefined && !isMap(document.get(section, true)))
      document.set(section, document.createNode({}));
    // Setting a plain value keeps the node and its comment.
    document.setIn(path, Array.isArray(value) ? document.createNode(value) : value);
  }
  const edited =
    isMap(document.contents) && document.contents.items.length === 0 ? remarksOf(document) : document.toString();
  parseSettings(edited, file);
  return edited;
}

/** Removes a key, and its section when empty. Comments above move to the top if it was the first, else to the end. */
function takeOut(document: Document, path: readonly string[]): void {
  const [section = ''] = path;
  document.deleteIn(path);
  const { contents } = document;
  const left = document.get(section, true);
  if (path.length === 1 || !isMap(contents) || !isMap(left) || left.items.length > 0) return;
  const at = contents.items.findIndex(({ key }) => isScalar(key) && key.value === section);
  const key = contents.items[at]?.key;
  const above = isScalar(key) ? key.commentBefore : null;
  document.deleteIn([section]);
  if (at === 0) document.commentBefore = joined(document.commentBefore, above);
  document.comment = joined(at === 0 ? null : above, left.commentBefore, left.comment, document.comment);
}

const joined = (...remarks: readonly (string | null | undefined)[]): string | null =>
  remarks.filter(text => text != null).join('\n') || null;

/** Returns the comments of a document without keys, which would be written as `{}`. */
function remarksOf({ commentBefore, contents, comment }: Document): string {
  const remarks = joined(commentBefore, isMap(contents) ? contents.comment : null, comment);
  return remarks === null ? '' : `${remarks.replace(/^(?=.)/gm, '#')}\n`;
}
