// Applies batches of events of a daemon to its state and writes lines to the log view. Pure.

import type { SearchView, StatusView } from '../api/control.ts';
import type { ServentEvent } from '../api/events.ts';
import { formatBytes } from '../api/format.ts';
import { LiveReducer } from '../api/live/reducer.ts';
import { natText } from '../api/nat-text.ts';
import { type Line, lineOf, withLines } from './daemon-log.ts';
import { type LogLine, type PeerRow, QUERIES_MAX, RESULTS_MAX, type World } from './model.ts';
import { withStatus } from './news.ts';

/** `at` is now, in milliseconds since 1970. */
export function withEvents(world: World, events: readonly ServentEvent[], at: number): World {
  const reducer = new LiveReducer(world, { whole: true, queriesMax: QUERIES_MAX });
  const lines: Line[] = [];
  for (const event of events) {
    lines.push(...linesOf(event, reducer));
    reducer.take(event, at);
  }
  const { peers, results, status, ...live } = reducer.live();
  const next: World = {
    ...world,
    ...live,
    peers: peers === world.peers ? world.peers : peers.map(peer => ({ ...noRates, ...peer })),
    results: results.length > RESULTS_MAX ? results.slice(0, RESULTS_MAX) : results,
  };
  if (status !== null && world.status !== null && status.mode !== world.status.mode)
    lines.push({ at, level: 'warn', from: 'peers', text: `we are ${nounOf(status)} now` });
  const seen = status === null || status === world.status ? next : withStatus(next, status, at);
  return lines.length === 0 ? seen : withLines(seen, lines);
}

const noRates: Pick<PeerRow, 'rateIn' | 'rateOut'> = { rateIn: 0, rateOut: 0 };

/** Log lines for an event; `known` is the state before it. */
function linesOf(event: ServentEvent, known: LiveReducer): Line[] {
  const say = (text: string, level: LogLine['level'] = 'info'): Line[] => [
    { at: Date.parse(event.at), level, from: event.topic, text },
  ];
  switch (event.type) {
    case 'link.opened': {
      const { role, address, userAgent } = event.data;
      return say(`${role} ${address} connected (${userAgent ?? 'unnamed'})`);
    }
    case 'link.closed': {
      const { address, code, reason } = event.data;
      const why = [code === 0 ? '' : String(code), reason].filter(text => text !== '').join(' ');
      return say(`${address} disconnected${why === '' ? '' : `: ${why}`}`);
    }
    case 'search.started':
      return say(`searching for ${wordsOf(event.data)}`);
    case 'search.finished':
      return say(`found ${event.data.results} for ${wordsOf(event.data)}`);
    case 'download.added':
    case 'download.changed':
      return say(`${event.data.name}: ${event.data.state}`);
    case 'download.finished':
      return say(`${event.data.name} is complete`);
    case 'download.failed':
      return say(`${event.data.name} failed: ${event.data.error ?? 'no reason given'}`, 'error');
    case 'download.removed': {
      const gone = known.download(event.data.id);
      return gone === undefined ? [] : say(`${gone.name} was removed`);
    }
    case 'batch.finished': {
      const { name, completed, failed } = event.data;
      const text = `${name}: ${completed} complete${failed === 0 ? '' : `, ${failed} failed`}`;
      return say(text, failed === 0 ? 'info' : 'error');
    }
    case 'upload.started':
      return say(`${event.data.address} takes ${event.data.name}`);
    case 'upload.finished':
      return say(`sent ${event.data.name} to ${event.data.address}`);
    case 'library.scanned': {
      const { state, path, error, files } = event.data;
      return state === 'failed'
        ? say(`${path}: ${error ?? 'could not be read'}`, 'error')
        : say(`${path} has ${files} files`);
    }
    case 'dht.changed': {
      const { mode, state, why } = event.data;
      return say(`the DHT is ${mode === 'off' ? 'off' : `${mode}, ${state}`}${why === null ? '' : `: ${why}`}`);
    }
    case 'status.started':
      return say('the daemon has started');
    case 'status.stopping':
      return say('the daemon is stopping', 'warn');
    case 'status.configured':
      return event.data.changes.flatMap(({ key, to }) => say(`${key} is ${JSON.stringify(to)} now`));
    case 'status.recording':
      return say(event.data.text, event.data.state === 'failing' ? 'warn' : 'info');
    case 'status.nat': {
      const text = natText(event.data);
      return text === null ? [] : say(`being reached: ${text}`, event.data.trouble === null ? 'info' : 'warn');
    }
    case 'status.budget': {
      const { state, used, bytes } = event.data;
      const text = `monthly budget ${state}: ${formatBytes(used)} of ${formatBytes(bytes)} used`;
      return say(text, state === 'slow' || state === 'spent' ? 'warn' : 'info');
    }
    case 'ban.started':
      return say(`${event.data.address} is banned from uploads: ${event.data.text}`);
    case 'ban.lifted':
      return say(`the ban of ${event.data.address} was lifted`);
    case 'saved.found': {
      const { saved, find } = event.data;
      return say(`the saved search for ${saved.text ?? saved.urn ?? ''} found ${find.name}`);
    }
    case 'saved.changed':
    case 'saved.removed':
      return [];
    case 'log.line':
      return [lineOf(event.data)];
    case 'log.skipped':
      return say(`${event.data.lines} lines were skipped: they came too fast`, 'warn');
    case 'dht.lookup':
    case 'query.passed':
    case 'query.skipped':
    case 'search.result':
    case 'download.progress':
    case 'upload.progress':
    case 'library.hashing':
    case 'status.now':
      return [];
    default:
      event satisfies never; // an event of a newer daemon
      return [];
  }
}

const wordsOf = ({ text, urn, browse }: SearchView): string => text ?? urn ?? `what ${browse} shares`;
const nounOf = ({ mode }: StatusView): string => (mode === 'leaf' ? 'a leaf' : 'an ultrapeer');
