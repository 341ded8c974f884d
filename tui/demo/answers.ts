// How the demo network answers: pages of lists, and refusals.
import { RefusedError } from '../../api/client.ts';
import type { Page } from '../../api/control.ts';

const LIMIT_DEFAULT = 100;

/** A list of the API; `before` is done at each call. */
export const pages =
  <T>(before: () => void, rows: () => readonly T[]) =>
  async (input: object = {}): Promise<Page<T>> => {
    before();
    const { limit = LIMIT_DEFAULT, cursor } = input as { limit?: number; cursor?: string };
    const from = cursor === undefined ? 0 : Number(cursor);
    const all = rows();
    const next = from + limit < all.length ? String(from + limit) : null;
    return { items: all.slice(from, from + limit), next };
  };

export function refused(code: string, detail: string): RefusedError {
  return new RefusedError({ type: 'about:blank', title: code, status: 400, code, detail } as RefusedError['problem']);
}
