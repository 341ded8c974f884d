// Holds answers of the API against its own OpenAPI document.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { JsonSchema } from '../../api/schema-names.ts';

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: JsonSchema;
}

export interface Operation {
  id: string;
  method: string;
  /** With parameters as `{name}`. */
  path: string;
  parameters: readonly Parameter[];
  body: JsonSchema | null;
  responses: Readonly<Record<string, Response>>;
}

interface Response {
  $ref?: string;
  content?: Record<string, { schema: JsonSchema }>;
}

export interface Answered {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  text: string;
}

interface Document {
  paths: Record<string, Record<string, unknown>>;
  components: { schemas: Record<string, unknown>; responses: Record<string, Response> };
}

interface DocumentOperation {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: JsonSchema }> };
  responses: Record<string, Response>;
}

export class ApiContract {
  readonly operations: readonly Operation[];
  readonly #document: Document;
  readonly #ajv: Ajv2020;
  readonly #compiled = new Map<object, ValidateFunction>();

  constructor(document: unknown) {
    this.#document = document as Document;
    this.#ajv = new Ajv2020({ strict: false });
    addFormats.default(this.#ajv, ['date-time']);
    this.#ajv.addSchema({ $id: 'api', components: this.#document.components });
    this.operations = Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.entries(methods as Record<string, DocumentOperation>).map(([method, operation]) => ({
        id: operation.operationId,
        method: method.toUpperCase(),
        path,
        parameters: operation.parameters ?? [],
        body: operation.requestBody?.content['application/json']?.schema ?? null,
        responses: operation.responses,
      })),
    );
  }

  /** What is wrong with an answer to the operation; null: it is as documented. `narrowed`: only some `fields` were asked for. */
  fault(operation: Operation, answered: Answered, narrowed = false): string | null {
    const { status } = answered;
    const listed = operation.responses[status] ?? operation.responses['default'];
    if (listed === undefined) return `${operation.id} does not list ${status}: ${answered.text.slice(0, 200)}`;
    const fault = this.#contentFault(this.#resolved(listed), answered, narrowed);
    return fault === null ? null : `${operation.id} ${status}: ${fault}`;
  }

  /** The same for what is no operation at all. */
  problemFault(answered: Answered): string | null {
    return this.#contentFault(this.#document.components.responses['problem'] ?? {}, answered, false);
  }

  #resolved(response: Response): Response {
    const name = response.$ref?.split('/').at(-1);
    return name === undefined ? response : (this.#document.components.responses[name] ?? {});
  }

  #contentFault({ content }: Response, { status, headers, text }: Answered, narrowed: boolean): string | null {
    if (content === undefined) return text === '' ? null : `has a body: ${text.slice(0, 100)}`;
    const type = String(headers['content-type'] ?? '').split(';')[0] ?? '';
    const schema = (content[type] ?? content['*/*'])?.schema;
    if (schema === undefined) return `is ${type}, not ${Object.keys(content).join(' or ')}`;
    if (!/[/+]json$/.test(type)) return null;
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      return `is no JSON: ${text.slice(0, 100)}`;
    }
    if (type === 'application/problem+json' && (body as { status?: unknown }).status !== status)
      return 'says another status';
    const validate = this.#validator(narrowed ? withoutItems(schema) : schema);
    return validate(body) ? null : `${this.#ajv.errorsText(validate.errors)}: ${text.slice(0, 200)}`;
  }

  #validator(schema: JsonSchema): ValidateFunction {
    const known = this.#compiled.get(schema);
    if (known !== undefined) return known;
    const text = JSON.stringify(schema).replaceAll('"#/components', '"api#/components');
    const compiled = this.#ajv.compile(JSON.parse(text) as object);
    this.#compiled.set(schema, compiled);
    return compiled;
  }
}

const narrowings = new WeakMap<JsonSchema, JsonSchema>();

/** The page, whatever its items. */
function withoutItems(schema: JsonSchema): JsonSchema {
  const known = narrowings.get(schema);
  if (known !== undefined) return known;
  const narrowed = { ...schema, properties: { ...schema.properties, items: { type: 'array' } } };
  narrowings.set(schema, narrowed);
  return narrowed;
}
