// Categories of downloads: the setting `downloads.categories`, read and matched.
import { starPattern } from '../../star-pattern.ts';
import { MEDIA_TYPES, type MediaType, mediaTypeOf } from '../../wire/media-type.ts';
import { TEMPLATE_FIELDS, wrongField } from './name-template.ts';

/** A file fits when all conditions that the rule has are met. */
export interface CategoryRule {
  /** Patterns of the name: `*` stands for any text, case does not matter. */
  readonly names?: readonly string[];
  /** Without the dot. */
  readonly extensions?: readonly string[];
  readonly types?: readonly MediaType[];
  /** Bytes; a file whose size is not known fits no rule that asks for one. */
  readonly minSize?: number;
  readonly maxSize?: number;
}

export interface Category {
  readonly name: string;
  /** Of its finished files; absent: `downloads.folder`. */
  readonly folder?: string;
  /** Most downloads of it that run. */
  readonly maxActive?: number;
  /** Bytes per second of all its downloads together; 0: no limit. */
  readonly limit?: number;
  /** A file that fits one of them belongs to it by itself. */
  readonly rules?: readonly CategoryRule[];
  /** Its folder is shared. */
  readonly share?: boolean;
  readonly nameTemplate?: string;
}

export const CATEGORIES_MAX = 50;
export const CATEGORY_EXAMPLE = '{name: music, folder: /srv/music, rules: [{types: [audio]}]}';
const ITEMS_MAX = 100;
const CHARACTERS_MAX = 200;
const FIELDS: ReadonlySet<string> = new Set<keyof Category>([
  ...(['name', 'folder', 'maxActive', 'limit', 'rules', 'share', 'nameTemplate'] as const),
]);
const RULE_FIELDS: ReadonlySet<string> = new Set<keyof CategoryRule>([
  ...(['names', 'extensions', 'types', 'minSize', 'maxSize'] as const),
]);

/** Reads an entry as a person wrote it; folders are absolute. A text says what is wrong with it and what to write instead. */
export function readCategory(given: unknown): Category | string {
  if (!isObject(given)) return `a name and what else holds for it, such as ${CATEGORY_EXAMPLE}`;
  const unknown = Object.keys(given).find(name => !FIELDS.has(name));
  if (unknown !== undefined) return `only ${[...FIELDS].join(', ')}: remove ${unknown}`;
  const { name, folder, maxActive, limit, rules, share, nameTemplate } = given;
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9._-]{0,39}$/.test(name))
    return 'name: up to 40 small letters, digits, ".", "_" and "-", such as music';
  if (folder !== undefined && !(typeof folder === 'string' && /^(\/|[A-Za-z]:[\\/])[^\0]*$/.test(folder)))
    return 'folder: the whole path of a folder, such as /srv/music';
  if (maxActive !== undefined && !isNumber(maxActive, 1, 1000))
    return 'maxActive: a whole number of downloads from 1 to 1000';
  if (limit !== undefined && !isNumber(limit, 0, 1_000_000_000_000))
    return 'limit: a whole number of bytes per second from 0 (no limit) to 1000000000000';
  if (share !== undefined && typeof share !== 'boolean') return 'share: true or false';
  if (share === true && folder === undefined) return 'a folder that can be shared, or without share';
  if (nameTemplate !== undefined && !(isText(nameTemplate) && /^[^/\\]*$/.test(String(nameTemplate))))
    return 'nameTemplate: a text without slashes, such as {artist} - {title}.{ext}';
  const wrong = typeof nameTemplate === 'string' ? wrongField(nameTemplate) : null;
  if (wrong !== null) return `nameTemplate: no {${wrong}}; there are ${TEMPLATE_FIELDS.map(f => `{${f}}`).join(', ')}`;
  if (rules === undefined) return given as unknown as Category;
  if (!Array.isArray(rules) || rules.length > ITEMS_MAX) return `rules: a list of up to ${ITEMS_MAX} rules`;
  for (const rule of rules) {
    const fault = faultOfRule(rule);
    if (fault !== null) return `rules: ${fault}`;
  }
  return given as unknown as Category;
}

function faultOfRule(given: unknown): string | null {
  if (!isObject(given) || Object.keys(given).length === 0 || Object.keys(given).some(name => !RULE_FIELDS.has(name)))
    return `each with at least one of ${[...RULE_FIELDS].join(', ')}, and nothing else`;
  const { names, extensions, types, minSize, maxSize } = given;
  if (names !== undefined && !isList(names, isText)) return 'names: a list of patterns such as "*live*"';
  if (extensions !== undefined && !isList(extensions, text => isText(text) && /^[^.*/]+$/.test(String(text))))
    return 'extensions: a list such as [mp3, flac], without dots';
  if (types !== undefined && !isList(types, type => MEDIA_TYPES.includes(type as MediaType)))
    return `types: a list of ${MEDIA_TYPES.join(', ')}`;
  for (const size of [minSize, maxSize])
    if (size !== undefined && !isNumber(size, 0, Number.MAX_SAFE_INTEGER))
      return 'minSize, maxSize: a whole number of bytes';
  return null;
}

/** The first category with a rule that fits; null: none. */
export function categoryOf(categories: readonly Category[], name: string, size: number | null): Category | null {
  return categories.find(({ rules = [] }) => rules.some(rule => fits(rule, name, size))) ?? null;
}

function fits(
  { names, extensions, types, minSize, maxSize }: CategoryRule,
  name: string,
  size: number | null,
): boolean {
  const type = mediaTypeOf(name);
  const lower = name.toLowerCase();
  if (names !== undefined && !names.some(pattern => starPattern(pattern)(name))) return false;
  if (extensions !== undefined && !extensions.some(each => lower.endsWith(`.${each.toLowerCase()}`))) return false;
  if (types !== undefined && (type === null || !types.includes(type))) return false;
  if (minSize !== undefined && (size === null || size < minSize)) return false;
  return maxSize === undefined || (size !== null && size <= maxSize);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= CHARACTERS_MAX;
}

function isNumber(value: unknown, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max;
}

function isList(value: unknown, isGood: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length > 0 && value.length <= ITEMS_MAX && value.every(isGood);
}
