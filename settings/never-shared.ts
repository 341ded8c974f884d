// What is never shared: the list of conf/never-shared.json, and whether a path or name is on it. Pure but for reading
// the list.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../api/version.ts';
import { leftOutOr, listOf, record, text, textLike } from './shape.ts';

interface Named {
  readonly rule: string;
  readonly reason: string;
  readonly names: readonly string[];
  /** Of the names, those that are harmless nevertheless. */
  readonly except?: readonly string[];
}

/** As the file has it. */
export interface NeverSharedList {
  readonly about: string;
  readonly places: readonly {
    readonly path: string;
    readonly below?: boolean;
    /** Nobody can force it. */
    readonly closed?: boolean;
    readonly except?: readonly string[];
    readonly reason: string;
  }[];
  readonly homesIn: readonly string[];
  readonly signs: readonly { readonly has: string; readonly reason: string }[];
  /** `type` in hex. */
  readonly fileSystems: readonly { readonly name: string; readonly type: string; readonly reason: string }[];
  readonly folders: readonly Named[];
  readonly copyEndings: readonly string[];
  readonly names: readonly Named[];
  /** Either text or hex, in which `??` is any byte. */
  readonly firstBytes: readonly {
    readonly rule: string;
    readonly reason: string;
    readonly text?: string;
    /** With it the text is looked for in all of a small file, around these characters. */
    readonly around?: string;
    readonly hex?: string;
    readonly at?: number;
  }[];
}

const named = listOf(record({ rule: text, reason: text, names: listOf(text, 1), except: leftOutOr(listOf(text, 1)) }));
const hasOne = ({ text, hex }: NeverSharedList['firstBytes'][number]): boolean =>
  (text === undefined) !== (hex === undefined);
const shape = record({
  about: text,
  places: listOf(
    record({
      path: text,
      below: leftOutOr(value => typeof value === 'boolean'),
      closed: leftOutOr(value => typeof value === 'boolean'),
      except: leftOutOr(listOf(text)),
      reason: text,
    }),
  ),
  homesIn: listOf(text),
  signs: listOf(record({ has: text, reason: text })),
  fileSystems: listOf(record({ name: text, type: textLike(/^[0-9a-f]+$/), reason: text })),
  folders: named,
  copyEndings: listOf(text, 1),
  names: named,
  firstBytes: listOf(
    record({
      rule: text,
      reason: text,
      text: leftOutOr(text),
      around: leftOutOr(text),
      hex: leftOutOr(textLike(/^([0-9a-f]{2}|\?\?)+$/)),
      at: leftOutOr(value => Number.isSafeInteger(value) && Number(value) >= 0),
    }),
  ),
});

/** Throws for what does not say plainly what is never shared. */
export function neverSharedList(given: unknown): NeverSharedList {
  const list = given as NeverSharedList;
  if (shape(given) && list.firstBytes.every(hasOne)) return list;
  throw new TypeError('the list of what is never shared is not as it should be: install servent anew');
}

/** Why something is left out: `a private key`. */
export interface Secret {
  readonly rule: string;
  readonly reason: string;
}

export class NeverShared {
  readonly list: NeverSharedList;
  readonly #reasons: ReadonlyMap<string, string>;
  readonly #folders: RegExp;
  readonly #files: RegExp;
  readonly #fileSystems: ReadonlyMap<number, string>;
  readonly #closed: NeverSharedList['places'];

  constructor(list: NeverSharedList) {
    this.list = list;
    this.#closed = list.places.filter(({ closed }) => closed === true);
    this.#reasons = new Map(
      [...list.folders, ...list.firstBytes, ...list.names].map(({ rule, reason }) => [rule, reason]),
    );
    this.#folders = patternOf(list.folders.flatMap(({ names }) => names));
    this.#files = patternOf(
      list.names.flatMap(({ names }) => names),
      list.copyEndings,
    );
    this.#fileSystems = new Map(list.fileSystems.map(({ type, reason }) => [Number.parseInt(type, 16), reason]));
  }

  /** Why nobody may share this folder, or null. A real path; `homes` are the home folders of this machine. */
  refusal(path: string, homes: readonly string[]): string | null {
    const plain = plainPath(path);
    const place = this.list.places.find(place => covers(place, plain));
    if (place !== undefined) return place.reason;
    const parent = plain.slice(0, plain.lastIndexOf('/')) || '/';
    if (this.list.homesIn.some(place => parent === plainPath(place))) return 'it is a home folder';
    for (const home of homes) {
      if (plain === plainPath(home)) return 'it is a home folder';
      if (isBelow(plainPath(home), plain)) return `the home folder ${home} lies in it`;
    }
    return this.closed(path);
  }

  /** Why this folder is not even shared when a person forces it, or null. A real path. */
  closed(path: string): string | null {
    const place = this.closedPlace(path);
    if (place !== null) return place.reason;
    for (const name of path.split(/[\\/]/)) {
      const secret = this.folder(name);
      if (secret !== null) return `${name} holds ${secret.reason}`;
    }
    return null;
  }

  /** As `closed`, without a look at the names in the path. */
  closedPlace(path: string): Secret | null {
    const plain = plainPath(path);
    const place = this.#closed.find(place => covers(place, plain));
    return place === undefined ? null : { rule: 'system', reason: place.reason };
  }

  /** By which rule a folder of that name is left out. */
  folder(name: string): Secret | null {
    return this.#folders.test(name) ? secretNamed(name, this.list.folders, []) : null;
  }

  /** By which rule a file of that name is left out. */
  file(name: string): Secret | null {
    return this.#files.test(name) ? secretNamed(name, this.list.names, this.list.copyEndings) : null;
  }

  /** Why nothing on a file system of that type, as statfs tells it, is shared. */
  fileSystem(type: number): string | null {
    return this.#fileSystems.get(type) ?? null;
  }

  /** A rule of an earlier list has its name for a reason. */
  secret(rule: string): Secret {
    return { rule, reason: this.#reasons.get(rule) ?? rule };
  }
}

function secretNamed(name: string, rows: readonly Named[], endings: readonly string[]): Secret | null {
  const row = rows.find(
    ({ names, except = [] }) => patternOf(names, endings).test(name) && !patternOf(except, endings).test(name),
  );
  return row === undefined ? null : { rule: row.rule, reason: row.reason };
}

/** Any of the names, `*` being any characters, with any of the endings behind it or none. */
function patternOf(names: readonly string[], endings: readonly string[] = []): RegExp {
  return new RegExp(`^(?:${sourceOf(names)})(?:${sourceOf(endings)})?$`, 'is');
}

/** Of no names: what nothing matches. */
function sourceOf(names: readonly string[]): string {
  return names.map(name => name.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')).join('|') || '(?!)';
}

const FOLDS_CASE = process.platform === 'win32' || process.platform === 'darwin';

/** Without a drive, and with `/` between names, so that one list does for every system. */
function plainPath(path: string): string {
  const plain = path
    .replace(/^[A-Za-z]:(?=[\\/])/, '')
    .replaceAll('\\', '/')
    .replace(/(?<=.)\/+$/, '');
  return FOLDS_CASE ? plain.toLowerCase() : plain;
}

function covers({ path, below = false, except = [] }: NeverSharedList['places'][number], plain: string): boolean {
  if (plain === plainPath(path)) return true;
  return below && isBelow(plain, path) && !except.some(open => isBelow(plain, open));
}

function isBelow(plain: string, place: string): boolean {
  const above = plainPath(place);
  return plain === above || plain.startsWith(above === '/' ? above : `${above}/`);
}

let usual: NeverShared | null = null;

/** The list that comes with the servent, read once. Throws when the file is missing or not as it should be. */
export function neverShared(): NeverShared {
  const path = join(packageFolder, 'conf', 'never-shared.json');
  usual ??= new NeverShared(neverSharedList(JSON.parse(readFileSync(path, 'utf8'))));
  return usual;
}
