// Converts between the model and the data kept between sessions: order and columns of lists, period of graphs. Pure.
import type { ListId, Model } from './model.ts';
import type { Remembered } from './remembered.ts';
import { lists } from './views/all.ts';

export function rememberedOf({ range, details, lists: states }: Model): Remembered {
  return {
    version: 1,
    range,
    details,
    lists: Object.fromEntries(
      Object.entries(states).map(([id, { sort, columns }]) => [id, { sort, columns }]),
    ) as Record<ListId, Remembered['lists'][string]>,
  };
}

/** Applies remembered data, without unknown columns. */
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
