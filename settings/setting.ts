// One setting: its kind, its flag, its default in each profile, and when a change takes effect.
import type { Kind } from './kinds.ts';

export type Profile = 'local' | 'lan' | 'public';

/** Input of defaults that are computed. */
export interface DefaultContext {
  profile: Profile;
  dataDir: string;
}

/** When a change takes effect: at once, for new connections, or at the next start. */
export type Change = 'hot' | 'reconnect' | 'restart';

export interface Setting<T> extends Kind<T> {
  /** Flag in commander's notation; the flag of a list can be repeated. */
  readonly flag: string;
  readonly doc: string;
  readonly defaultFor: (context: DefaultContext) => T;
  /** Default in words, where the value depends on the machine. */
  readonly defaultText?: string;
  readonly change: Change;
}

interface Meta<T> {
  flag: string;
  doc: string;
  /** One default, or one for each profile. */
  default: NoInfer<T | Record<Profile, T> | ((context: DefaultContext) => T)>;
  defaultText?: string;
  /** Default: `restart`. */
  change?: Change;
}

export function setting<T>(kind: Kind<T>, meta: Meta<T>): Setting<T> {
  const given = meta.default;
  let defaultFor: (context: DefaultContext) => T;
  if (typeof given === 'function') defaultFor = given as (context: DefaultContext) => T;
  else if (isPerProfile(given)) defaultFor = ({ profile }) => given[profile];
  else defaultFor = () => given;
  const { defaultText } = meta;
  return {
    ...kind,
    flag: meta.flag,
    doc: meta.doc,
    defaultFor,
    ...(defaultText === undefined ? {} : { defaultText }),
    change: meta.change ?? 'restart',
  };
}

function isPerProfile<T>(given: T | Record<Profile, T>): given is Record<Profile, T> {
  return typeof given === 'object' && given !== null && 'local' in given;
}
