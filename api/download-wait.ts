// Says where the bytes of a download come from, or what it waits for. Pure; browsers load it too.
import type { DownloadView } from './control.ts';
import { counted, formatDuration } from './format.ts';

type Source = DownloadView['sources'][number];
type Waiting = Pick<DownloadView, 'state' | 'sources' | 'error' | 'search'>;

const inState = (sources: readonly Source[], ...states: readonly string[]): number =>
  sources.filter(({ state }) => states.includes(state)).length;

/** `3 of 8 sources`: how many send, and how many are known. */
export function sendingText({ sources }: Pick<DownloadView, 'sources'>): string {
  return `${inState(sources, 'active')} of ${counted(sources.length, 'source')}`;
}

/** Place in the queue of a source: `place 3 of 10, about 5 min`. */
export function placeText({ position, length, eta }: NonNullable<Source['queue']>): string {
  const place =
    position === null ? 'in its queue' : length === null ? `place ${position}` : `place ${position} of ${length}`;
  return eta === null ? place : `${place}, about ${formatDuration(eta)}`;
}

/** What a download that is queued or active without bytes waits for; null: it does not wait. */
export function waitText({ state, sources, error, search }: Waiting, now: number): string | null {
  if (state !== 'queued' && state !== 'active') return null;
  if (inState(sources, 'active') > 0) return null;
  const places = sources
    .flatMap(({ queue }) => queue ?? [])
    .sort((a, b) => (a.position ?? Infinity) - (b.position ?? Infinity));
  const [best] = places;
  if (best !== undefined) return `in ${counted(places.length, 'queue')}: ${placeText(best)}`;
  if (inState(sources, 'connecting') > 0) return 'connecting';
  if (sources.length > 0 && sources.every(({ error }) => error !== null)) return 'sources failed and are tried again';
  if (sources.length === 0) return searchText(search, now);
  return error ?? (state === 'active' ? 'between two requests' : 'waits for its turn');
}

function searchText(search: DownloadView['search'], now: number): string {
  if (search === null) return 'no source is known';
  const { asked, next } = search;
  if (next === null) return asked === 0 ? 'no source is known' : 'searching for sources';
  const seconds = (Date.parse(next) - now) / 1000;
  const again = seconds < 1 ? '' : `, again in ${formatDuration(seconds)}`;
  return asked === 0 ? 'searching for sources' : `searching for sources: asked ${counted(asked, 'time')}${again}`;
}

const WAYS: Readonly<Record<string, string>> = {
  direct: '',
  datagram: 'by push (datagram)',
  proxy: 'by push (proxy)',
  dht: 'by push (DHT)',
  overlay: 'by push (overlay)',
  rudp: 'by UDP stream',
  relay: 'by relay',
};

/** How a source of a download is reached, or, before it was, that it needs a push; empty: directly. */
export function wayText(way: string | null, push: boolean): string {
  return way === null ? (push ? 'by push' : '') : (WAYS[way] ?? way);
}
