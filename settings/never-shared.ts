// Checks paths and names against conf/never-shared.json, the list of files and folders that are never shared. Pure except for reading
// the list.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../api/version.ts';
import { leftOutOr, listOf, record, text, textLike } from './shape.ts';

interface Named {
  readonly rule: string;
  readonly reason: string;
  readonly names: readonly string[];
  /** Names that are allowed although they match. */
  readonly except?: readonly string[];
}

/** Content of the file. */
export interface NeverSharedList {
  readonly about: string;
  readonly places: readonly {
    readonly path: string;
    readonly below?: boolean;
    /** Cannot be forced. */
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
    /** If present, the text is searched in all of a small file, around these characters. */
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

/** Checks the content of the file; throws TypeError. */
export function neverSharedList(given: unknown): NeverSharedList {
  const list = given as NeverSharedList;
  if (shape(given) && list.firstBytes.every(hasOne)) return list;
  throw new TypeError('conf/never-shared.json is invalid: reinstall servent');
}

/** Rule and reason, such as `a private key`. */
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

  /** Returns why this folder must not be shared, or null. `path` is a real path; `homes` are the home folders of this machine. */
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

  /** Returns why this folder cannot be shared even by force, or null. `path` is a real path. */
  closed(path: string): string | null {
    const place = this.closedPlace(path);
    if (place !== null) return place.reason;
    for (const name of path.split(/[\\/]/)) {
      const secret = this.folder(name);
      if (secret !== null) return `${name} holds ${secret.reason}`;
    }
    return null;
  }

  /** Like `closed`, without a check of the names in the path. */
  closedPlace(path: string): Secret | null {
    const plain = plainPath(path);
    const place = this.#closed.find(place => covers(place, plain));
    return place === undefined ? null : { rule: 'system', reason: place.reason };
  }

  /** Returns the rule that leaves out a folder of that name. */
  folder(name: string): Secret | null {
    return this.#folders.test(name) ? secretNamed(name, this.list.folders, []) : null;
  }

  /** Returns the rule that leaves out a file of that name. */
  file(name: string): Secret | null {
    return this.#files.test(name) ? secretNamed(name, this.list.names, this.list.copyEndings) : null;
  }

  /** Returns why a file system of that statfs type is not shared, or null. */
  fileSystem(type: number): string | null {
    return this.#fileSystems.get(type) ?? null;
  }

  /** Returns a rule by name; for a rule of an earlier list the name is the reason. */
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

/** Makes an expression for any of the names (`*`: any characters), followed by one of the endings or none. */
function patternOf(names: readonly string[], endings: readonly string[] = []): RegExp {
  return new RegExp(`^(?:${sourceOf(names)})(?:${sourceOf(endings)})?$`, 'is');
}

/** Without names the expression matches nothing. */
function sourceOf(names: readonly string[]): string {
  return names.map(name => name.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')).join('|') || '(?!)';
}

const FOLDS_CASE = process.platform === 'win32' || process.platform === 'darwin';

/** Removes the drive and uses `/` as separator, so that one list serves all systems. */
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

/** Reads the list of the package once. Throws when the file is missing or invalid. */
export function neverShared(): NeverShared {
  const path = join(packageFolder, 'conf', 'never-shared.json');
  usual ??= new NeverShared(neverSharedList(JSON.parse(readFileSync(path, 'utf8'))));
  return usual;
}
