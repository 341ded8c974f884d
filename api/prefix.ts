// The beginning of an id where a whole one is asked for, as docker and git take it.
import { ApiError } from './errors.ts';

/** Named in a refusal. */
const MATCHES_MAX = 8;

/** Of ids and addresses. */
const CHARACTERS = /^[\w.:[\]-]+$/;

/** Whether an id or an address may begin with it: without this nobody needs to read the list. */
export function mayBegin(given: string): boolean {
  return CHARACTERS.test(given);
}

/** What an item is called in a path: its id, or its address. Numbers are counted: the beginning of one is another one. */
export interface Named {
  readonly id?: unknown;
  readonly address?: unknown;
}

/**
 * The id of the only item whose id, or else whose address, begins with `given`; null: there is none. Where ids are numbers, a number
 * names no address: it is the id of something that has gone. Throws AMBIGUOUS, naming them, when there are several.
 */
export function idBegunWith(given: string, items: readonly Named[], what: string): string | null {
  const begun = given.toLowerCase();
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
