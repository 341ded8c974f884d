// Groups of uploads with slots of their own: the setting `uploads.groups`, read and matched.
import { starPattern } from '../../../star-pattern.ts';
import { BlockedRanges } from '../../../wire/block-list.ts';
import { rangeOfAddresses } from '../../../wire/block-list-text.ts';
import { canonicalHost } from '../../../wire/endpoint.ts';

/** A client belongs to it when all conditions that it has are met. */
export interface UploadGroup {
  readonly name: string;
  /** Addresses and ADDRESS/BITS. */
  readonly addresses?: readonly string[];
  /** Patterns of the User-Agent: `*` stands for any text, case does not matter. */
  readonly agents?: readonly string[];
  /** Its address has given us so many bytes or more. */
  readonly gave?: number;
  readonly slots: number;
  /** Slots of one address; 0: no limit; absent: as for all. */
  readonly maxPerAddress?: number;
  /** Bytes per second of all its uploads together; 0: no limit. */
  readonly limit?: number;
}

export const GROUPS_MAX = 20;
const ITEMS_MAX = 100;
const SLOTS_MAX = 10_000;
const LIMIT_MAX = 1_000_000_000_000;
const PATTERN_CHARACTERS_MAX = 100;
const FIELDS: ReadonlySet<string> = new Set<keyof UploadGroup>([
  ...(['name', 'addresses', 'agents', 'gave', 'slots', 'maxPerAddress', 'limit'] as const),
]);
export const GROUP_EXAMPLE = '{name: home, addresses: [192.168.0.0/16], slots: 5}';

/** Reads an entry as a person wrote it. A text says what is wrong with it and what to write instead. */
export function readGroup(given: unknown): UploadGroup | string {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return `name, slots and one of addresses, agents and gave, such as ${GROUP_EXAMPLE}`;
  const fields = given as Readonly<Record<keyof UploadGroup, unknown>>;
  const unknown = Object.keys(fields).find(name => !FIELDS.has(name));
  if (unknown !== undefined) return `only ${[...FIELDS].join(', ')}: remove ${unknown}`;
  const { name, addresses, agents, gave, slots, maxPerAddress, limit } = fields;
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9._-]{0,39}$/.test(name))
    return 'name: up to 40 small letters, digits, ".", "_" and "-", such as home';
  if (addresses !== undefined && !isList(addresses, text => rangeOfAddresses(text) !== null))
    return `addresses: a list of up to ${ITEMS_MAX} IP addresses and ADDRESS/BITS, such as [192.168.0.0/16, "fd00::/8"]`;
  if (agents !== undefined && !isList(agents, text => text !== '' && text.length <= PATTERN_CHARACTERS_MAX))
    return `agents: a list of up to ${ITEMS_MAX} patterns of the User-Agent, such as ["gtk-gnutella/*", "*WireShare*"]`;
  if (addresses === undefined && agents === undefined && gave === undefined)
    return `at least one of addresses, agents and gave, such as ${GROUP_EXAMPLE}`;
  const numbers = [
    ['gave', gave, 1, Number.MAX_SAFE_INTEGER, 'bytes that an address has given us'],
    ['slots', slots, 0, SLOTS_MAX, 'running uploads'],
    ['maxPerAddress', maxPerAddress, 0, SLOTS_MAX, 'running uploads to one address (0: no limit)'],
    ['limit', limit, 0, LIMIT_MAX, 'bytes per second (0: no limit)'],
  ] as const;
  for (const [field, value, min, max, of] of numbers) {
    if (value === undefined && field !== 'slots') continue;
    if (!Number.isSafeInteger(value) || Number(value) < min || Number(value) > max)
      return `${field}: a whole number of ${of} from ${min} to ${max}`;
  }
  return given as UploadGroup;
}

function isList(value: unknown, isGood: (text: string) => boolean): boolean {
  if (!Array.isArray(value) || value.length === 0 || value.length > ITEMS_MAX) return false;
  return value.every(item => typeof item === 'string' && isGood(item));
}

/** `gave`: bytes that an address has given us. */
export type Gave = (address: string) => number;

/** Finds out who belongs to a group. */
export function membership(group: UploadGroup, gave: Gave): (address: string, agent: string | null) => boolean {
  const ranges = new BlockedRanges((group.addresses ?? []).flatMap(text => rangeOfAddresses(text) ?? []));
  const patterns = (group.agents ?? []).map(starPattern);
  return (address, agent) => {
    const host = canonicalHost(address);
    if (group.addresses !== undefined && (host === null || !ranges.has(host))) return false;
    if (group.agents !== undefined && (agent === null || !patterns.some(fits => fits(agent)))) return false;
    return group.gave === undefined || gave(address) >= group.gave;
  };
}
