// Indexes the open links by id, role and servent GUID. Admission bounds their number: see neighbours.ts.
import { guidKey } from '../../wire/guid.ts';
import { keptCopy } from '../../wire/kept-copy.ts';
import type { Link } from './link.ts';

export class Links {
  readonly #byId = new Map<number, Link>();
  readonly #byServent = new Map<string, Link>();
  /** Those that pass queries on: ultrapeers and legacy peers. In order of arrival, like the leaves. */
  readonly relays: Link[] = [];
  readonly leaves: Link[] = [];

  get all(): ReadonlyMap<number, Link> {
    return this.#byId;
  }

  get(id: number): Link | null {
    return this.#byId.get(id) ?? null;
  }

  /** The direct neighbour whose servent GUID stands at `start`. */
  withServent(bytes: Buffer, start: number): Link | null {
    return this.#byServent.get(guidKey(bytes, start)) ?? null;
  }

  add(link: Link): void {
    this.#byId.set(link.id, link);
    (link.role === 'leaf' ? this.leaves : this.relays).push(link);
    const { guid } = link.capabilities;
    if (guid !== null) this.#byServent.set(guidKey(guid), link);
  }

  /** Pushes for this servent GUID go to `link` from now on; false when another link has it. */
  adopt(link: Link, guid: Buffer): boolean {
    const key = guidKey(guid);
    const known = this.#byServent.get(key);
    if (known !== undefined) return known === link;
    if (link.adopted !== null) return false; // one servent a link
    link.adopted = keptCopy(guid);
    this.#byServent.set(key, link);
    return true;
  }

  /** False when it was not there. */
  remove(link: Link): boolean {
    if (!this.#byId.delete(link.id)) return false;
    const list = link.role === 'leaf' ? this.leaves : this.relays;
    list.splice(list.indexOf(link), 1);
    for (const guid of [link.capabilities.guid, link.adopted]) {
      if (guid !== null && this.#byServent.get(guidKey(guid)) === link) this.#byServent.delete(guidKey(guid));
    }
    return true;
  }
}
