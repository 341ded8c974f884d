// Parses the configuration of a hook: its events, and its URL or command.
import type { EventType, Topic } from '../api/events.ts';
import { eventKinds } from '../api/outline.ts';
import { type Checked, checkedList, file, itemsFromText, type Kind, WRONG } from './kinds.ts';
import { leftOutOr, listOf, numberFrom, oneIn, record, text, textLike, textUpTo } from './shape.ts';

export interface HookConfig {
  readonly name: string;
  readonly topics: Topic[];
  /** Types such as `download.finished`; empty: all of the topics. */
  readonly types: EventType[];
  readonly url?: string;
  /** File with the key for signatures. */
  readonly secretFile?: string;
  /** Program and arguments, run without a shell. */
  readonly command?: readonly string[];
  /** Seconds. */
  readonly timeout: number;
}

/** Hooks get only kept events. */
const KEPT = Object.entries(eventKinds).filter(([, { retention }]) => retention === 'kept');
const TYPES: ReadonlySet<unknown> = new Set(KEPT.map(([type]) => type));
const TOPICS: ReadonlySet<unknown> = new Set(KEPT.map(([, { topic }]) => topic));

const TYPES_MAX = 64;
const ARGUMENTS_MAX = 64;
const URL_CHARACTERS_MAX = 2048;
const ARGUMENT_CHARACTERS_MAX = 4096;

const shape = record({
  name: textLike(/^[a-z0-9][a-z0-9._-]{0,39}$/),
  topics: listOf(oneIn(TOPICS), 1),
  types: listOf(oneIn(TYPES), 0, TYPES_MAX),
  url: leftOutOr(isUrl),
  secretFile: leftOutOr(text),
  command: leftOutOr(listOf(textUpTo(ARGUMENT_CHARACTERS_MAX), 1, ARGUMENTS_MAX)),
  timeout: numberFrom(0.1, 600),
});

function isUrl(value: unknown): boolean {
  const given = String(value);
  if (!textUpTo(URL_CHARACTERS_MAX)(value) || !URL.canParse(given)) return false;
  return ['http:', 'https:'].includes(new URL(given).protocol);
}

/** Returns null when a field is invalid, unknown or missing, or when fields conflict. */
export function hookConfigOf(given: unknown): HookConfig | null {
  if (typeof given !== 'object' || given === null) return null;
  const config = { topics: ['downloads'], types: [], timeout: 10, ...given } as unknown as HookConfig;
  const { url, command, secretFile } = config;
  const fits = (url === undefined) !== (command === undefined) && (secretFile === undefined || url !== undefined);
  return fits && shape(config) ? config : null;
}

const HOOKS_MAX = 32;

const hook = {
  check: (given: unknown): Checked<HookConfig> => {
    const value = hookConfigOf(given);
    return value === null ? WRONG : { ok: true, value };
  },
};

/** For the setting `hooks`. */
export const hookList: Kind<HookConfig[]> = {
  check: given => {
    if (!Array.isArray(given) || given.length > HOOKS_MAX) return WRONG;
    const checked = checkedList(given, hook);
    return checked.ok && new Set(checked.value.map(({ name }) => name)).size < checked.value.length ? WRONG : checked;
  },
  expected:
    'a list, each item with `name`, `url` or `command`, and `topics` or `types` of kept events as in docs/api.md',
  fromText: itemsFromText,
  within: (hooks, folder) =>
    hooks.map(hook =>
      hook.secretFile === undefined ? hook : { ...hook, secretFile: file.within?.(hook.secretFile, folder) ?? '' },
    ),
};
