// A hook as it is configured: which events, and the web address or the command that gets them.
import { z } from 'zod';
import { keptTopics, keptTypes } from '../../api/events.ts';
import { file, type Kind } from '../settings/kinds.ts';

const NAME = /^[a-z0-9][a-z0-9._-]{0,39}$/;
const ARGUMENTS_MAX = 64;

export const hookConfig = z
  .strictObject({
    name: z.string().regex(NAME),
    /** What passes by the thousands cannot be had here: it is not kept. */
    topics: z.array(z.enum(keptTopics)).min(1).default(['downloads']),
    /** Only these, as `download.finished`; none: all of the topics. */
    types: z.array(z.enum(keptTypes)).max(64).default([]),
    url: z
      .url({ protocol: /^https?$/ })
      .max(2048)
      .optional(),
    /** A file with the key that bodies are signed with. */
    secretFile: z.string().min(1).optional(),
    /** A program and its arguments; there is no shell. */
    command: z.array(z.string().max(4096)).min(1).max(ARGUMENTS_MAX).optional(),
    /** Seconds. */
    timeout: z.number().min(0.1).max(600).default(10),
  })
  .refine(({ url, command }) => (url === undefined) !== (command === undefined), 'expected `url` or `command`')
  .refine(({ url, secretFile }) => secretFile === undefined || url !== undefined, '`secretFile` goes with `url`');

export type HookConfig = z.output<typeof hookConfig>;

const HOOKS_MAX = 32;

/** For the setting `hooks`. */
export const hookList: Kind<HookConfig[]> = {
  schema: z
    .array(hookConfig)
    .max(HOOKS_MAX)
    .refine(hooks => new Set(hooks.map(({ name }) => name)).size === hooks.length, 'each name once'),
  expected:
    'a list, each item with `name`, `url` or `command`, and `topics` or `types` of kept events as in docs/api.md',
  fromText: text => {
    try {
      const value: unknown = JSON.parse(text);
      return Array.isArray(value) ? value : [value];
    } catch {
      return text; // which the schema refuses
    }
  },
  within: (hooks, folder) =>
    hooks.map(hook =>
      hook.secretFile === undefined ? hook : { ...hook, secretFile: file.within?.(hook.secretFile, folder) ?? '' },
    ),
};
