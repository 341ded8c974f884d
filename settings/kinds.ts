// Kinds of setting values: each checks a value, parses it from text, and describes it.
import { isIP } from 'node:net';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { homeFolder } from '../api/home.ts';
import { canonicalCacheUrl } from '../protocol/bootstrap/gwebcache-answer.ts';
import { addressOrNull, endpointOrNull } from '../protocol/wire/endpoint.ts';
import { socksProxyOf } from './socks-proxy.ts';

/** The normalized value; or the index of the invalid list item, null for the whole value, and what is expected there if it is more than that of the kind. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly item: number | null; readonly expected?: string };

export interface Kind<T> {
  readonly check: (value: unknown) => Checked<T>;
  /** Completes "expected …". */
  readonly expected: string;
  /** Parses the text of a flag or variable; a list gets the whole text. */
  readonly fromText: (text: string) => unknown;
  /** Resolves a relative path against the folder of the configuration file, or the working directory. */
  within?(value: T, folder: string): T;
  /** Separator of list items in an environment variable. */
  readonly separator?: string;
}

const asIs = (text: string): unknown => text;

export const WRONG: Checked<never> = { ok: false, item: null };
const wrongUnless = <T>(isGood: boolean, value: T): Checked<T> => (isGood ? { ok: true, value } : WRONG);

/** `read` returns the normalized text, or null for an invalid one. */
const textAs =
  (read: (text: string) => string | null) =>
  (given: unknown): Checked<string> => {
    const value = typeof given === 'string' ? read(given) : null;
    return value === null ? WRONG : { ok: true, value };
  };

/** Text of a flag or variable as a JSON list; one item alone is a list of it. */
export function itemsFromText(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : [value];
  } catch {
    return text; // rejected by the check
  }
}

/** A list of at most `most` entries. `read` returns an entry, or what is expected there; it is given the entries before. */
export const entriesOf = <T extends object>(
  most: number,
  expected: string,
  read: (given: unknown, before: readonly T[]) => T | string,
): Kind<T[]> => ({
  check: given => {
    if (!Array.isArray(given)) return WRONG;
    if (given.length > most) return { ok: false, item: null, expected: `at most ${most} entries` };
    const value: T[] = [];
    for (const [item, each] of given.entries()) {
      const entry = read(each, value);
      if (typeof entry === 'string') return { ok: false, item, expected: `entry ${item + 1} with ${entry}` };
      value.push(entry);
    }
    return { ok: true, value };
  },
  expected,
  fromText: itemsFromText,
});

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

/** IP address to listen on; names are not accepted. */
export const listenAddress: Kind<string> = {
  check: textAs(text => (text === 'localhost' ? '127.0.0.1' : isIP(text) === 0 ? null : text)),
  expected: 'an IP address of this machine, 0.0.0.0 for all of them',
  fromText: asIs,
};

/** The default port is 6346. */
export const hostAndPort: Kind<string> = {
  check: textAs(addressOrNull),
  expected: 'HOST or HOST:PORT',
  fromText: asIs,
};

const UHC = 'uhc:';

/** GWebCache URL, or UDP host cache in LimeWire's notation with default port 6346. */
export const cacheAddress: Kind<string> = {
  check: textAs(text => {
    if (!text.startsWith(UHC)) return canonicalCacheUrl(text);
    const address = addressOrNull(text.slice(UHC.length));
    return address === null ? null : `${UHC}${address}`;
  }),
  expected: 'http://HOST/PATH of a GWebCache or uhc:HOST:PORT of a UDP host cache',
  fromText: asIs,
};

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

/** Prefix of systemd credentials. */
const CREDENTIALS = '$CREDENTIALS_DIRECTORY/';

/** Throws for a user without a home. */
function belowHome(path: string): string {
  const home = homeFolder(process.env);
  if (home === null) throw new Error(`${path}: this user has no home folder: use an absolute path`);
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

/** Name of a network interface, as the system shows it; empty: none. */
export const interfaceOrNone: Kind<string> = {
  check: textThat(text => /^[^\s/]{0,64}$/.test(text)),
  expected: 'the name of a network interface such as tun0, or nothing',
  fromText: asIs,
};

/** IP address with or without a port; empty: none. */
export const routerOrNone: Kind<string> = {
  check: textThat(text => text === '' || isIP(text) !== 0 || endpointOrNull(text) !== null),
  expected: 'an IP address or ADDRESS:PORT, or nothing',
  fromText: asIs,
};

/** URL of a SOCKS5 proxy; empty: none. */
export const socksOrNone: Kind<string> = {
  check: textThat(text => text === '' || socksProxyOf(text) !== null),
  expected: 'socks5://HOST:PORT or socks5://USER:PASSWORD@HOST:PORT, or nothing',
  fromText: asIs,
};

export const hostName: Kind<string> = {
  check: textThat(text => text.length <= 253 && /^[a-z0-9_]([a-z0-9_-]{0,62}\.?)+$/i.test(text)),
  expected: 'a host name, without a port',
  fromText: asIs,
};

/** Web origin as browsers send it. */
export const webOrigin: Kind<string> = {
  check: textThat(
    text => text.length <= 300 && /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text,
  ),
  expected: 'an origin such as https://dashboard.example:8443, without a path',
  fromText: asIs,
};

/** Address of an HTTP server with user, password and one step of a path; or nothing. */
export const httpAddressOrNone: Kind<string> = {
  check: textThat(
    text =>
      text === '' ||
      (text.length <= 1000 &&
        /^https?:\/\//.test(text) &&
        URL.canParse(text) &&
        /^\/\w*$/.test(new URL(text).pathname)),
  ),
  expected: 'an address such as http://127.0.0.1:8123 or http://user:password@host:8123/database',
  fromText: asIs,
};

/** Text for a header line, without line breaks. */
export const headerText: Kind<string> = {
  check: textThat(text => /^[\x21-\x7e]([\x20-\x7e]{0,98}[\x21-\x7e])?$/.test(text)),
  expected: 'up to 100 printable ASCII characters',
  fromText: asIs,
};

/** List of a kind. The separator in variables depends on the kind, as paths may contain commas and addresses colons. */
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
