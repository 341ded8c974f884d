// A row of the table of endpoints: its fields, and what each method takes when a row does not say otherwise.
import type { z } from 'zod';
import type { ApiErrorCode } from './errors.ts';
import { byId, listQuery, pageOf } from './schemas/common.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Scope a key needs; `open` needs no token. */
export type Scope = 'open' | 'read' | 'operate' | 'admin';

export interface Endpoint {
  readonly method: Method;
  /** Below the root, parameters as `:name`. */
  readonly path: string;
  readonly doc: string;
  readonly scope: Scope;
  /** Group in the documentation. */
  readonly tag: string;
  readonly params: z.ZodType | null;
  readonly query: z.ZodType | null;
  readonly body: z.ZodType | null;
  /** null: the answer has no body. */
  readonly output: z.ZodType | null;
  readonly success: 200 | 201 | 202 | 204;
  /** Error codes of this endpoint besides those of every call. */
  readonly problems: readonly ApiErrorCode[];
  /** Status that depends on the output. */
  readonly statusFor?: (output: never) => number;
  /** Path of the GET whose ETag an `If-Match` header is compared with. */
  readonly ifMatch: string | null;
  /** Whether the OpenAPI document has it. */
  readonly openapi: boolean;
}

type Given = Pick<Endpoint, 'tag' | 'doc'> & Partial<Endpoint>;

const DEFAULTS = {
  params: null,
  query: null,
  body: null,
  output: null,
  problems: [],
  ifMatch: null,
  openapi: true,
} as const;

/** Endpoint with the types of its schemas. */
type Row<G> = Omit<Endpoint, 'params' | 'query' | 'body' | 'output'> & {
  readonly [F in 'params' | 'query' | 'body' | 'output']: FieldOf<G, F>;
};
type FieldOf<G, F extends string> = G extends Record<F, infer T extends z.ZodType> ? T : null;

/** Makes a row from the defaults of its method; `given` overrides them. */
const row =
  (method: Method, scope: Scope, success: Endpoint['success']) =>
  <const G extends Given>(path: string, given: G): Row<G> =>
    ({
      ...DEFAULTS,
      method,
      path,
      scope,
      success,
      ...given,
      problems: [...(given.problems ?? []), ...(given.params === byId ? ['AMBIGUOUS'] : [])],
    }) as unknown as Row<G>;

export const get = row('GET', 'read', 200);
export const create = row('POST', 'operate', 201);
export const change = row('PATCH', 'operate', 200);
export const remove = row('DELETE', 'operate', 204);
export const API = '/api/v1';

export const listOf = <const T extends z.ZodType>(item: T) => ({ query: listQuery(item), output: pageOf(item) });
