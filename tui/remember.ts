// What the dashboard keeps from one session to the next: order and columns of lists, the time of graphs. Pure; the file is elsewhere.
import { z } from 'zod';
import { type ListId, type Model, RANGES } from './model.ts';
import { lists } from './views/all.ts';

const VERSION = 1;
const COLUMNS_MAX = 40;

const schema = z.object({
  version: z.literal(VERSION),
  range: z.enum(RANGES),
  details: z.boolean().nullable(),
  lists: z.record(
    z.string().max(40),
    z.object({
      sort: z.object({ column: z.string().max(40), descending: z.boolean() }).nullable(),
      columns: z.array(z.string().max(40)).max(COLUMNS_MAX).nullable(),
    }),
  ),
});

export type Remembered = z.infer<typeof schema>;

export function rememberedOf({ range, details, lists: states }: Model): Remembered {
  return {
    version: VERSION,
    range,
    details,
    lists: Object.fromEntries(
      Object.entries(states).map(([id, { sort, columns }]) => [id, { sort, columns }]),
    ) as Record<ListId, Remembered['lists'][string]>,
  };
}

/** Columns that there no longer are, are left out. */
export function withRemembered(model: Model, { range, details, lists: kept }: Remembered): Model {
  const states = { ...model.lists };
  for (const id of Object.keys(states) as ListId[]) {
    const found = Object.hasOwn(kept, id) ? kept[id] : undefined;
    if (found === undefined) continue;
    const known = new Set(lists[id].columns.map(column => column.id));
    const columns = found.columns?.filter(column => known.has(column)) ?? null;
    states[id] = {
      ...states[id],
      sort: found.sort !== null && known.has(found.sort.column) ? found.sort : null,
      columns: columns?.length === 0 ? null : columns,
    };
  }
  return { ...model, range, details, lists: states };
}

/** null: not what this program writes. */
export function parseRemembered(text: string): Remembered | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
