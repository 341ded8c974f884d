// What a call is given, checked against the schemas of its endpoint: every fault with its place.
import type { z } from 'zod';
import type { Endpoint, Method, Scope } from './endpoints.ts';
import { ApiError, type FieldFault } from './errors.ts';

export type Values = Record<string, unknown>;

/** What a client has to know of an endpoint. */
export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly scope: Scope;
  readonly body: boolean;
  /** Names of its query parameters, where a body could have them too. */
  readonly query: readonly string[];
}

export function routeOf({ method, path, scope, query, body }: Endpoint): Route {
  const shape = ((body === null ? null : query) as { shape?: object } | null)?.shape ?? {};
  return { method, path, scope, body: body !== null, query: Object.keys(shape) };
}

const FAULTS_MAX = 20;
const UNKNOWN = 'there is no such field';

/** The three parts as they came in; throws INVALID with what is wrong in all of them. */
export function checkedInput(
  endpoint: Pick<Endpoint, 'params' | 'query' | 'body'> & Partial<Pick<Endpoint, 'scope'>>,
  given: { params: unknown; query: unknown; body: unknown },
): Values {
  const faults: FieldFault[] = [];
  const params = check(endpoint.params, given.params, 'path', faults);
  const query = check(endpoint.query, given.query, 'query', faults);
  const body = check(endpoint.body, given.body, 'body', faults);
  // Probes get all kinds of parameters from those who send them.
  if (endpoint.query === null && endpoint.scope !== 'open')
    for (const name of Object.keys(given.query ?? {})) faults.push({ in: 'query', field: name, detail: UNKNOWN });
  const [first] = faults;
  if (first !== undefined) {
    const field = first.field === '' ? first.in : first.field;
    throw new ApiError('INVALID', `${field}: ${first.detail}`, { faults: faults.slice(0, FAULTS_MAX) });
  }
  return { ...params, ...query, ...body };
}

/** The same from one flat object, as clients and bulk calls have it. */
export function partsOf(route: Route, flat: Values): { params: Values; query: Values; body: Values } {
  const params: Values = {};
  const query: Values = {};
  const body: Values = {};
  const inPath = new Set(Array.from(route.path.matchAll(/:(\w+)/g), ([, name = '']) => name));
  for (const [name, value] of Object.entries(flat)) {
    const part = inPath.has(name) ? params : !route.body || route.query.includes(name) ? query : body;
    // Not by assignment: a key called __proto__ is to be refused, not obeyed.
    Object.defineProperty(part, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return { params, query, body };
}

function check(schema: z.ZodType | null, value: unknown, where: FieldFault['in'], faults: FieldFault[]): Values | null {
  if (schema === null) return null;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data as Values;
  for (const issue of parsed.error.issues.slice(0, FAULTS_MAX)) faults.push(...faultsOf(issue, where));
  return null;
}

function faultsOf(issue: z.core.$ZodIssue, where: FieldFault['in']): FieldFault[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, FAULTS_MAX).map(key => ({
      in: where,
      field: [...path, key].join('.'),
      detail: UNKNOWN,
    }));
  }
  if (issue.code === 'invalid_union') {
    const inner = closestBranch(issue.errors);
    if (inner !== null)
      return inner.flatMap(deeper => faultsOf({ ...deeper, path: [...issue.path, ...deeper.path] }, where));
  }
  return [{ in: where, field: path.join('.'), detail: issue.message }];
}

/** Of the alternatives that all failed, the one with the least to complain about: what the caller most likely meant. */
function closestBranch(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | null {
  const weight = (issues: readonly z.core.$ZodIssue[]): number =>
    issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0);
  return branches.reduce<readonly z.core.$ZodIssue[] | null>(
    (best, branch) => (branch.length > 0 && (best === null || weight(branch) < weight(best)) ? branch : best),
    null,
  );
}
