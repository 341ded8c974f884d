// Validates the input of a call against the schemas of its endpoint and reports every invalid field.
import type { z } from 'zod';
import type { Endpoint, Method, Scope } from './endpoint.ts';
import { ApiError, type FieldFault } from './errors.ts';

export type Values = Record<string, unknown>;

/** The part of an endpoint that clients need. */
export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly scope: Scope;
  readonly body: boolean;
  /** Names of query parameters that could also be fields of the body. */
  readonly query: readonly string[];
}

export function routeOf({ method, path, scope, query, body }: Endpoint): Route {
  const shape = ((body === null ? null : query) as { shape?: object } | null)?.shape ?? {};
  return { method, path, scope, body: body !== null, query: Object.keys(shape) };
}

const FAULTS_MAX = 20;
const UNKNOWN = 'unknown field';

/** Validates parameters, query and body; throws INVALID with the faults of all three. */
export function checkedInput(
  endpoint: Pick<Endpoint, 'params' | 'query' | 'body'> & Partial<Pick<Endpoint, 'scope'>>,
  given: { params: unknown; query: unknown; body: unknown },
): Values {
  const faults: FieldFault[] = [];
  const params = check(endpoint.params, given.params, 'path', faults);
  const query = check(endpoint.query, given.query, 'query', faults);
  const body = check(endpoint.body, given.body, 'body', faults);
  // Health probes may have arbitrary parameters.
  if (endpoint.query === null && endpoint.scope !== 'open')
    for (const name of Object.keys(given.query ?? {})) faults.push({ in: 'query', field: name, detail: UNKNOWN });
  const [first] = faults;
  if (first !== undefined) {
    const field = first.field === '' ? first.in : first.field;
    throw new ApiError('INVALID', `${field}: ${first.detail}`, { faults: faults.slice(0, FAULTS_MAX) });
  }
  return { ...params, ...query, ...body };
}

/** Splits one flat object, as clients and bulk calls use it, into the three parts. */
export function partsOf(route: Route, flat: Values): { params: Values; query: Values; body: Values } {
  const params: Values = {};
  const query: Values = {};
  const body: Values = {};
  const inPath = new Set(Array.from(route.path.matchAll(/:(\w+)/g), ([, name = '']) => name));
  for (const [name, value] of Object.entries(flat)) {
    const part = inPath.has(name) ? params : !route.body || route.query.includes(name) ? query : body;
    // defineProperty, because an assignment to `__proto__` would set the prototype.
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

/** Returns the failed alternative with the fewest issues, which the caller most likely meant. */
function closestBranch(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | null {
  const weight = (issues: readonly z.core.$ZodIssue[]): number =>
    issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0);
  return branches.reduce<readonly z.core.$ZodIssue[] | null>(
    (best, branch) => (branch.length > 0 && (best === null || weight(branch) < weight(best)) ? branch : best),
    null,
  );
}
