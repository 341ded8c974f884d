// The kinds of values a setting can have: how to check one, to read it from one piece of text, and to name it to a person.
import { isIP } from 'node:net';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { homeFolder } from '../api/home.ts';
import { canonicalCacheUrl } from '../protocol/bootstrap/gwebcache-answer.ts';
import { addressOrNull } from '../protocol/wire/endpoint.ts';

/** A value as it is used from then on; or what is wrong: an item of a list, by its place, or all of it. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly item: number | null };

export interface Kind<T> {
  readonly check: (value: unknown) => Checked<T>;
  /** Completes "expected …". */
  readonly expected: string;
  /** A flag's or variable's text as something to check; lists get the whole text. */
  readonly fromText: (text: string) => unknown;
  /** Relative values start at the folder of where they were given: the configuration file's, or the working directory. */
  within?(value: T, folder: string): T;
  /** Of a list in one environment variable. */
  readonly separator?: string;
}

const asIs = (text: string): unknown => text;

export const WRONG: Checked<never> = { ok: false, item: null };
const wrongUnless = <T>(isGood: boolean, value: T): Checked<T> => (isGood ? { ok: true, value } : WRONG);

/** `read` gives the text as it is used, or null. */
const textAs =
  (read: (text: string) => string | null) =>
  (given: unknown): Checked<string> => {
    const value = typeof given === 'string' ? read(given) : null;
    return value === null ? WRONG : { ok: true, value };
  };

const textThat = (isGood: (text: string) => boolean) => textAs(text => (isGood(text) ? text : null));

export const oneOf = <const T extends string>(...values: [T, ...T[]]): Kind<T> => ({
  check: value => wrongUnless(values.includes(value as T), value as T),
  expected: `one of ${values.join(', ')}`,
  fromText: asIs,
});

export const integer = (min: number, max: number): Kind<number> => ({
  check: value =>
    wrongUnless(Number.isSafeInteger(value) && min <= Number(value) && Number(value) <= max, Number(value)),
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
  check: value => wrongUnless(typeof value === 'boolean', value === true),
  expected: 'true or false',
  fromText: text => words.get(text.trim().toLowerCase()) ?? text,
};

/** An address to listen on, given as a number so that it means the same on every machine. */
export const listenAddress: Kind<string> = {
  check: textAs(text => (text === 'localhost' ? '127.0.0.1' : isIP(text) === 0 ? null : text)),
  expected: 'an IP address of this machine, 0.0.0.0 for all of them',
  fromText: asIs,
};

/** A missing port is 6346. */
export const hostAndPort: Kind<string> = {
  check: textAs(addressOrNull),
  expected: 'HOST or HOST:PORT',
  fromText: asIs,
};

const UHC = 'uhc:';

/** A GWebCache or, in LimeWire's notation, a UDP host cache, whose missing port is 6346. */
export const cacheAddress: Kind<string> = {
  check: textAs(text => {
    if (!text.startsWith(UHC)) return canonicalCacheUrl(text);
    const address = addressOrNull(text.slice(UHC.length));
    return address === null ? null : `${UHC}${address}`;
  }),
  expected: 'http://HOST/PATH of a GWebCache or uhc:HOST:PORT of a UDP host cache',
  fromText: asIs,
};

/** An address or a block of them. */
export const addressBlock: Kind<string> = {
  check: textThat(text => {
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
  check: textThat(text => text !== '' && !text.includes('\0')),
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
  check: textThat(text => !text.includes('\0')),
  expected: 'the path of a file, or nothing',
  within: (path, from) => (path === '' ? '' : (folder.within?.(path, from) ?? path)),
};

export const hostName: Kind<string> = {
  check: textThat(text => text.length <= 253 && /^[a-z0-9_]([a-z0-9_-]{0,62}\.?)+$/i.test(text)),
  expected: 'a host name, without a port',
  fromText: asIs,
};

/** As browsers send it. */
export const webOrigin: Kind<string> = {
  check: textThat(
    text => text.length <= 300 && /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text,
  ),
  expected: 'an origin such as https://dashboard.example:8443, without a path',
  fromText: asIs,
};

/** Goes out in a header line, so nothing that could end the line. */
export const headerText: Kind<string> = {
  check: textThat(text => /^[\x21-\x7e]([\x20-\x7e]{0,98}[\x21-\x7e])?$/.test(text)),
  expected: 'up to 100 printable ASCII characters',
  fromText: asIs,
};

/** Paths may hold commas, addresses may hold colons: each list says what separates it in a variable. */
export const listOf = <T>(kind: Kind<T>, separator: string): Kind<T[]> => {
  const { within } = kind;
  return {
    check: value => (Array.isArray(value) && value.length <= LIST_MAX ? checkedList(value, kind) : WRONG),
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

export function checkedList<T>(items: readonly unknown[], kind: Pick<Kind<T>, 'check'>): Checked<T[]> {
  const value: T[] = [];
  for (const [item, given] of items.entries()) {
    const checked = kind.check(given);
    if (!checked.ok) return { ok: false, item };
    value.push(checked.value);
  }
  return { ok: true, value };
}

export const pathSeparator: string = delimiter;
