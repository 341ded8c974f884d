// Values for the JSON schemas of an OpenAPI document: such as fit, such as nearly fit, and such as somebody hostile would send.
import fc from 'fast-check';
import type { JsonSchema } from '../../api/schema-names.ts';

type Schema = JsonSchema & {
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
};

/** By the name of a field: what a schema cannot say. */
export type Known = Readonly<Record<string, fc.Arbitrary<unknown>>>;

const WORD_CHARACTERS_MAX = 24;
const ITEMS_MAX = 4;

/** What fits the schema. */
export function fitting(schema: JsonSchema, known: Known = {}, name = ''): fc.Arbitrary<unknown> {
  const at = schema as Schema;
  const own = Object.hasOwn(known, name) ? known[name] : undefined;
  if (own !== undefined) return own;
  if (at.const !== undefined) return fc.constant(at.const);
  if (at.enum !== undefined) return fc.constantFrom(...at.enum);
  if (at.anyOf !== undefined) return fc.oneof(...at.anyOf.map(branch => fitting(branch, known, name)));
  switch (at.type) {
    case 'string':
      return texts(at);
    case 'integer':
      return fc.oneof(
        fc.integer({ min: Math.max(at.minimum ?? 0, -(2 ** 31)), max: Math.min(at.maximum ?? 100, 2 ** 31 - 1) }),
        fc.constantFrom(at.minimum ?? 0, at.maximum ?? 100),
      );
    case 'number':
      return fc.double({ min: at.minimum ?? 0, max: at.maximum ?? 1e6, noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(fitting(at.items ?? {}, known, name), {
        minLength: at.minItems ?? 0,
        maxLength: Math.min(at.maxItems ?? ITEMS_MAX, ITEMS_MAX),
      });
    case 'object':
      return objects(at, known);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function objects({ properties, required = [], additionalProperties }: Schema, known: Known): fc.Arbitrary<unknown> {
  if (properties === undefined) {
    const value = typeof additionalProperties === 'object' ? fitting(additionalProperties, known) : fc.jsonValue();
    return fc.dictionary(fc.string({ minLength: 1, maxLength: 12 }), value, { maxKeys: ITEMS_MAX });
  }
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, inner]) => [name, fitting(inner, known, name)]),
  );
  return fc.record(fields, { requiredKeys: required, noNullPrototype: true });
}

function texts({ pattern, format, minLength = 0, maxLength = WORD_CHARACTERS_MAX }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time')
    return fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map(at => at.toISOString());
  if (pattern !== undefined) return matching(pattern);
  const length = { minLength, maxLength: Math.max(minLength, Math.min(maxLength, WORD_CHARACTERS_MAX)) };
  return fc.oneof(fc.string(length), fc.string({ ...length, unit: 'grapheme' }), fc.constantFrom('a', 'moon'));
}

const patterns = new Map<string, fc.Arbitrary<string>>();

/** Once each: they take long to be understood. */
function matching(pattern: string): fc.Arbitrary<string> {
  const made = patterns.get(pattern) ?? fc.stringMatching(new RegExp(pattern, 'u'));
  patterns.set(pattern, made);
  return made;
}

/** What was thought of by people who break things. */
export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  // biome-ignore format: a list
  fc.constantFrom<unknown>(
    '', ' ', '\0', '\r\nX: y', '../../../etc/passwd', '%2e%2e%2f', '..\\..', 'file:///etc/passwd', '__proto__', 'constructor',
    'toString', '$where', "' or 1=1 --", '<script>', '{{7*7}}', '#{7*7}', '\u202e\u0000\uffff', '\ud800', '😀'.repeat(50),
    'a'.repeat(5_000), '('.repeat(900), `${'*a'.repeat(300)}b`, 'null', 'NaN', '-0', '1e999', '0x10', '٣', 'true',
    null, true, -1, 0.5, 2 ** 53, -(2 ** 63), 1e300, [], {}, [[[[[[]]]]]], { '': '' }, { length: -1 },
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc.string(),
);

/** A fitting value with one thing about it that does not fit. */
export function nearly(schema: JsonSchema, known: Known = {}): fc.Arbitrary<unknown> {
  return fc.tuple(fitting(schema, known), hostile, fc.nat(), fc.nat(3)).map(([value, wrong, at, how]) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong;
    const names = Object.keys(value);
    const name = names[at % Math.max(1, names.length)];
    const { [name ?? '']: inner, ...others } = value as Record<string, unknown>;
    if (how === 0 || name === undefined) return own({ ...value }, typeof wrong === 'string' ? wrong : 'also', wrong);
    if (how === 1) return others;
    if (how === 2) return own(others, name, [inner]);
    return own(others, name, wrong);
  });
}

/** `__proto__` as a key like any other. */
function own(object: object, name: string, value: unknown): object {
  return Object.defineProperty(object, name, { value, enumerable: true });
}
