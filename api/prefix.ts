// Finds an object by the first characters of its id, as docker and git do.
import { canonicalHost, isIpv6 } from '../protocol/wire/endpoint.ts';
import { ApiError } from './errors.ts';

/** Most matches named in an error. */
const MATCHES_MAX = 8;

/** Characters of ids and addresses. */
const CHARACTERS = /^[\w.:[\]-]+$/;

/** Whether an id or an address can begin with this text. */
export function mayBegin(given: string): boolean {
  return CHARACTERS.test(given);
}

/** Item with an id and perhaps an address. Prefixes of numeric ids do not match. */
export interface Named {
  readonly id?: unknown;
  readonly address?: unknown;
}

/**
 * Returns the id of the only item whose id, or else whose address, begins with `given`; null for none. Where ids are numbers, a number is
 * not compared with addresses. Throws AMBIGUOUS with the matches for several.
 */
export function idBegunWith(given: string, items: readonly Named[], what: string): string | null {
  // a whole IPv4 address is completed by a port, never by more digits
  const begun = isIpv6(given) || canonicalHost(given) === null ? given.toLowerCase() : `${given}:`;
  const matches = items.filter(item => nameOf(item, begun)?.toLowerCase().startsWith(begun));
  if (matches.length > 1) {
    const shown = matches.slice(0, MATCHES_MAX).map(item => nameOf(item, begun));
    const more = matches.length > shown.length ? `, and ${matches.length - shown.length} more` : '';
    throw new ApiError('AMBIGUOUS', `several ${what} begin with ${JSON.stringify(given)}: ${shown.join(', ')}${more}`);
  }
  const [only] = matches;
  return only === undefined ? null : String(only.id ?? only.address);
}

const NUMBER = /^\d+$/;

function nameOf({ id, address }: Named, begun: string): string | null {
  if (typeof id === 'string' && !NUMBER.test(id)) return id;
  if (typeof address !== 'string' || (id !== undefined && NUMBER.test(begun))) return null;
  return address;
}
