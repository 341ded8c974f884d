// Names schemas after their exports, for references in the documentation.
import { z } from 'zod';
import * as explain from './schemas/explain.ts';
import * as hooks from './schemas/hooks.ts';
import * as keys from './schemas/keys.ts';
import * as library from './schemas/library.ts';
import * as monitor from './schemas/monitor.ts';
import * as overlay from './schemas/overlay.ts';
import * as searches from './schemas/searches.ts';
import * as service from './schemas/service.ts';
import * as transfers from './schemas/transfers.ts';

export const schemaNames: ReadonlyMap<z.ZodType, string> = new Map(
  [overlay, searches, transfers, library, explain, service, keys, monitor, hooks].flatMap(module =>
    Object.entries(module).flatMap(([name, schema]) => (schema instanceof z.ZodType ? [[schema, name] as const] : [])),
  ),
);

/** Schema of the items of a list; null: not a list. */
export function itemOf(output: z.ZodType): z.ZodType | null {
  const shape = output instanceof z.ZodObject ? output.shape : {};
  const items: unknown = shape['items'];
  return items instanceof z.ZodArray && 'next' in shape ? (items.element as z.ZodType) : null;
}

export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  default?: unknown;
  anyOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: JsonSchema | boolean;
}

export function jsonSchemaOf(type: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(type, { io, unrepresentable: 'any' });
  return schema as JsonSchema;
}
