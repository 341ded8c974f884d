// Derives the fields that a list can be filtered, sorted and narrowed by from the schema of its items.
import { z } from 'zod';

export type FieldKind = 'number' | 'text' | 'choice' | 'time' | 'boolean' | 'list';

export interface Field {
  /** Dotted path: `messages.in`, `sources.address`. */
  readonly path: string;
  readonly kind: FieldKind;
  /** Whether an item has several values; a test then holds if any value passes. */
  readonly plural: boolean;
  /** Values of a `choice`. */
  readonly choices: readonly string[];
}

export type Fields = ReadonlyMap<string, Field>;

const DEPTH_MAX = 4;
const known = new WeakMap<z.ZodType, Fields>();

/** Returns the fields by path, in the order of the schema. */
export function fieldsOf(item: z.ZodType): Fields {
  let fields = known.get(item);
  if (fields === undefined) {
    const found = new Map<string, Field>();
    collect(item, '', false, 0, found);
    fields = found;
    known.set(item, fields);
  }
  return fields;
}

function collect(type: z.ZodType, path: string, plural: boolean, depth: number, into: Map<string, Field>): void {
  const bare = unwrapped(type);
  const note = (kind: FieldKind, choices: readonly string[] = []): void => {
    into.set(path, { path, kind, plural, choices });
  };
  if (bare instanceof z.ZodObject) {
    if (depth === DEPTH_MAX) return;
    for (const [name, inner] of Object.entries(bare.shape))
      collect(inner as z.ZodType, path === '' ? name : `${path}.${name}`, plural, depth + 1, into);
  } else if (bare instanceof z.ZodArray) {
    const element = unwrapped(bare.element as z.ZodType);
    if (element instanceof z.ZodObject) note('list');
    collect(element, path, true, depth, into);
  } else if (bare instanceof z.ZodNumber) note('number');
  else if (bare instanceof z.ZodBoolean) note('boolean');
  else if (bare instanceof z.ZodEnum) note('choice', bare.options.map(String));
  else if (bare instanceof z.ZodISODateTime) note('time');
  else if (bare instanceof z.ZodString || bare instanceof z.ZodStringFormat) note('text');
}

function unwrapped(type: z.ZodType): z.ZodType {
  let bare = type;
  while (bare instanceof z.ZodNullable || bare instanceof z.ZodOptional || bare instanceof z.ZodDefault)
    bare = bare.unwrap() as z.ZodType;
  return bare;
}

/** Reduces an item to the given paths. A path of an object or list selects all of it. */
export function chosen(item: unknown, paths: readonly string[]): unknown {
  const tree: Tree = new Map();
  for (const path of paths) {
    let level = tree;
    for (const name of path.split('.')) {
      const next: Tree = level.get(name) ?? new Map();
      level.set(name, next);
      level = next;
    }
    level.clear(); // selects the whole object
  }
  return cut(item, tree);
}

type Tree = Map<string, Tree>;

function cut(value: unknown, tree: Tree): unknown {
  if (tree.size === 0) return value;
  if (Array.isArray(value)) return value.map(item => cut(item, tree));
  if (typeof value !== 'object' || value === null) return value;
  const out: Record<string, unknown> = {};
  for (const [name, inner] of tree)
    if (Object.hasOwn(value, name)) out[name] = cut((value as Record<string, unknown>)[name], inner);
  return out;
}
