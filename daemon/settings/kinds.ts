// The kinds of values a setting can have: a schema, how to read it from one piece of text, and how to name it to a person.
import { isIP } from 'node:net';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { homeFolder } from '../../api/home.ts';
import { canonicalCacheUrl } from '../../protocol/bootstrap/gwebcache-answer.ts';
import { addressOrNull } from '../../protocol/wire/endpoint.ts';

export interface Kind<T> {
  readonly schema: z.ZodType<T>;
  /** Completes "expected …". */
  readonly expected: string;
  /** A flag's or variable's text as something for the schema; lists get the whole text. */
  readonly fromText: (text: string) => unknown;
  /** Relative values start at the folder of whoever said them: the configuration file's, or the working directory. */
  within?(value: T, folder: string): T;
  /** Of a list in one environment variable. */
  readonly separator?: string;
}

const asIs = (text: string): unknown => text;

export const oneOf = <const T extends string>(...values: [T, ...T[]]): Kind<T> => ({
  schema: z.enum(values),
  expected: `one of ${values.join(', ')}`,
  fromText: asIs,
});

export const integer = (min: number, max: number): Kind<number> => ({
  schema: z.int().min(min).max(max),
  expected: `a whole number from ${min} to ${max}`,
  fromText: text => (/^-?\d{1,15}$/.test(text.trim()) ? Number(text) : text),
});

const words = new Map<string, boolean>([
  ['true', true],
  ['yes', true],
  ['on', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['off', false],
  ['0', false],
]);

export const yesOrNo: Kind<boolean> = {
  schema: z.boolean(),
  expected: 'true or false',
  fromText: text => words.get(text.trim().toLowerCase()) ?? text,
};

/** An address to listen on, given as a number so that it means the same on every machine. */
export const listenAddress: Kind<string> = {
  schema: z
    .string()
    .transform(text => (text === 'localhost' ? '127.0.0.1' : text))
    .refine(text => isIP(text) !== 0),
  expected: 'an IP address of this machine, 0.0.0.0 for all of them',
  fromText: asIs,
};

/** A missing port is 6346. */
export const hostAndPort: Kind<string> = {
  schema: z
    .string()
    .transform(text => addressOrNull(text) ?? '')
    .refine(text => text !== ''),
  expected: 'HOST or HOST:PORT',
  fromText: asIs,
};

const UHC = 'uhc:';

/** A GWebCache or, in LimeWire's notation, a UDP host cache, whose missing port is 6346. */
export const cacheAddress: Kind<string> = {
  schema: z
    .string()
    .transform(text => {
      if (!text.startsWith(UHC)) return canonicalCacheUrl(text) ?? '';
      const address = addressOrNull(text.slice(UHC.length));
      return address === null ? '' : `${UHC}${address}`;
    })
    .refine(text => text.startsWith('http://') || text.startsWith(UHC)),
  expected: 'http://HOST/PATH of a GWebCache or uhc:HOST:PORT of a UDP host cache',
  fromText: asIs,
};

/** An address or a block of them. */
export const addressBlock: Kind<string> = {
  schema: z.string().refine(text => {
    const [address = '', bits = ''] = text.split(/\/(.*)/s, 2);
    const version = isIP(address);
    return (
      version !== 0 && (!text.includes('/') || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)))
    );
  }),
  expected: 'an IP address or ADDRESS/BITS',
  fromText: asIs,
};

/** What systemd hands over lies in a folder that only the unit knows. */
const CREDENTIALS = '$CREDENTIALS_DIRECTORY/';

/** Throws for a user without a home. */
function belowHome(path: string): string {
  const home = homeFolder(process.env);
  if (home === null) throw new Error(`${path}: this user has no home folder: write the whole path`);
  return join(home, path.slice(1));
}

export const folder: Kind<string> = {
  schema: z
    .string()
    .min(1)
    .refine(text => !text.includes('\0')),
  expected: 'the path of a folder',
  fromText: asIs,
  within: (path, from) => {
    if (path.startsWith(CREDENTIALS))
      return join(process.env['CREDENTIALS_DIRECTORY'] ?? from, path.slice(CREDENTIALS.length));
    if (path === '~' || path.startsWith('~/')) return belowHome(path);
    return isAbsolute(path) ? path : resolve(from, path);
  },
};

export const file: Kind<string> = { ...folder, expected: 'the path of a file' };

/** Empty: none. */
export const fileOrNone: Kind<string> = {
  ...file,
  schema: z.string().refine(text => !text.includes('\0')),
  expected: 'the path of a file, or nothing',
  within: (path, from) => (path === '' ? '' : (folder.within?.(path, from) ?? path)),
};

export const hostName: Kind<string> = {
  schema: z
    .string()
    .regex(/^[a-z0-9_]([a-z0-9_-]{0,62}\.?)+$/i)
    .max(253),
  expected: 'a host name, without a port',
  fromText: asIs,
};

/** As browsers send it. */
export const webOrigin: Kind<string> = {
  schema: z
    .string()
    .max(300)
    .refine(text => /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text),
  expected: 'an origin such as https://dashboard.example:8443, without a path',
  fromText: asIs,
};

/** Goes out in a header line, so nothing that could end the line. */
export const headerText: Kind<string> = {
  schema: z.string().regex(/^[\x21-\x7e]([\x20-\x7e]{0,98}[\x21-\x7e])?$/),
  expected: 'up to 100 printable ASCII characters',
  fromText: asIs,
};

/** Paths may hold commas, addresses may hold colons: each list says what separates it in a variable. */
export const listOf = <T>(kind: Kind<T>, separator: string): Kind<T[]> => {
  const { within } = kind;
  return {
    schema: z.array(kind.schema).max(LIST_MAX),
    expected: `a list, each item ${kind.expected}`,
    fromText: text =>
      text
        .split(separator)
        .map(item => item.trim())
        .filter(item => item !== '')
        .map(kind.fromText),
    ...(within === undefined ? {} : { within: (items, from) => items.map(item => within(item, from)) }),
    separator,
  };
};
const LIST_MAX = 1000;

export const pathSeparator: string = delimiter;
