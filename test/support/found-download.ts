// Finds a file by its words and fetches it, as a person does.

import type { RunningServent } from './running-servent.ts';
import { until } from './running-servent.ts';

type Seeker = Pick<RunningServent, 'client'>;

/** Searches until there is a result: ultrapeers ask a leaf when they have its table, and not before. */
export function found({ client }: Seeker, text: string) {
  return until('it is found', async () => {
    const { id } = await client.startSearch({ text });
    const { items } = await client.results({ id });
    return items[0] === undefined ? null : { id, result: items[0] };
  });
}

/** Fetches what was found; resolves with the complete download. */
export async function fetched({ client }: Seeker, { id, result }: Awaited<ReturnType<typeof found>>) {
  const download = await client.startDownload({ search: id, result: result.id });
  return until('it is complete', async () => {
    const { items } = await client.downloads({});
    return items.find(each => each.id === download.id && each.state === 'completed') ?? null;
  });
}
