// View of the servent: role, traffic, drops.

import type { Explanation, HistoryView, StatusView } from '../../api/control.ts';
import {
  counted,
  formatBytes,
  formatDuration,
  formatLimit,
  formatRate,
  keptText,
  printable,
} from '../../api/format.ts';
import { natText } from '../../api/nat-text.ts';
import type { Actions } from '../actions.ts';
import { card, chip, facts } from '../controls.ts';
import { formatCount, formatPerSecond } from '../figures.ts';
import { type GraphSpec, graph } from '../graph.ts';
import { icon } from '../icons.ts';
import type { Model, Span } from '../model.ts';
import { type Child, h, type Sketch } from '../sketch.ts';
import { dhtCard } from './dht.ts';

const REASONS_MAX = 8;
const FINDING_TONE = { ok: 'good', warning: 'wait', bad: 'bad' } as const;
const SLOTS: Readonly<Record<Span, number>> = { minute: 60, hour: 120, day: 144, month: 720, year: 366 };

export function statusView(model: Model, act: Actions): Child[] {
  const { status } = model;
  if (status === null) return [h('p', { class: 'empty' }, 'Loading …')];
  return [
    ...(status.attention.length === 0 ? [] : [toMend(status)]),
    tiles(status),
    graphs(model, act),
    h('div', { class: 'columns' }, role(status, model.election), servent(status), dhtCard(model, act), dropped(status)),
  ];
}

/** Known problems of the daemon. */
function toMend({ attention }: StatusView): Sketch {
  return card(
    'To mend',
    { key: 'to mend' },
    points(attention.map(({ name, state, detail, mend }) => ({ name, tone: FINDING_TONE[state], said: detail, mend }))),
  );
}

/** Use against the limit of uploads or downloads, if one is set. */
const limited = ({ limits }: StatusView, name: 'upload' | 'download'): string[] =>
  limits.flatMap(limit => (limit.name === name ? [formatLimit(limit)] : []));

function tiles(status: StatusView): Sketch {
  const { peers, downloads, uploads, library, searches, hosts } = status;
  return h(
    'div',
    { class: 'tiles' },
    tile('peers', 'Peers', String(peers.leaves + peers.ultrapeers), [
      counted(peers.ultrapeers, 'ultrapeer'),
      counted(peers.leaves, 'leaf', 'leaves'),
    ]),
    tile('downloads', 'Downloads', formatRate(downloads.rate), [
      `${downloads.active} active`,
      `${downloads.queued} queued`,
      ...limited(status, 'download'),
    ]),
    tile('uploads', 'Uploads', formatRate(uploads.rate), [
      `${uploads.active} active`,
      `${uploads.queued} queued`,
      ...limited(status, 'upload'),
    ]),
    tile('library', 'Library', counted(library.files, 'file'), [
      formatBytes(library.bytes),
      ...(library.hashing > 0 ? [`${library.hashing} to hash`] : []),
      ...(library.media.pending > 0 ? [`metadata of ${counted(library.media.pending, 'file')} to read`] : []),
      ...(library.trees > 0 ? [`${library.trees} hash trees to make`] : []),
    ]),
    tile('searches', 'Searches', `${searches} running`, [`${counted(hosts, 'host')} known`]),
  );
}

function tile(
  view: 'peers' | 'downloads' | 'uploads' | 'library' | 'searches',
  title: string,
  value: string,
  more: string[],
): Sketch {
  return h(
    'a',
    { class: 'tile', href: `#/${view}` },
    h('span', { class: 'what' }, icon(view), title),
    h('strong', {}, value),
    h('span', { class: 'more' }, more.join(' · ')),
  );
}

function graphs({ history, span }: Model, act: Actions): Sketch {
  const choice = h(
    'div',
    { class: 'choice', role: 'group', 'aria-label': 'Time of the graphs' },
    (Object.keys(SLOTS) as Span[]).map(name =>
      h(
        'button',
        { type: 'button', 'aria-pressed': String(name === span), onclick: () => act.span(name) },
        `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`,
      ),
    ),
  );
  return h(
    'section',
    { class: 'card graphs', 'aria-label': 'Graphs' },
    h('div', { class: 'title' }, h('h2', {}, 'Latest'), choice),
    history === null
      ? h('p', { class: 'empty' }, 'Loading …')
      : h('div', { class: 'pictures' }, pictures(history[span], SLOTS[span]).map(graph)),
  );
}

function pictures(ring: HistoryView[Span], slots: number): GraphSpec[] {
  const two = (values: number[], more: number[]): GraphSpec['series'] => [
    { name: 'in', tone: 'in', values },
    { name: 'out', tone: 'out', values: more },
  ];
  const single = (values: number[]): GraphSpec['series'] => [{ name: '', tone: 'single', values }];
  const round = (value: number): string => formatCount(Math.round(value));
  return [
    {
      title: 'Messages',
      series: two(ring.messagesIn, ring.messagesOut),
      slots,
      format: formatPerSecond,
      floor: 10,
    },
    {
      title: 'Overlay traffic',
      series: two(ring.bytesIn, ring.bytesOut),
      slots,
      format: formatRate,
      floor: 1024,
      bytes: true,
    },
    { title: 'Files', series: two(ring.download, ring.upload), slots, format: formatRate, floor: 1024, bytes: true },
    { title: 'Queries', series: single(ring.queries), slots, format: formatPerSecond, floor: 1 },
    { title: 'Peers', series: single(ring.peers), slots, format: round, floor: 5 },
  ];
}

function role(status: StatusView, election: Explanation | null): Sketch {
  const { mode, election: facts } = status;
  const how = facts.active
    ? 'decided by elections'
    : facts.mode === 'auto'
      ? 'the role does not change'
      : 'as configured';
  return card(
    'Role',
    { class: 'role' },
    h('p', { class: 'big' }, mode === 'ultrapeer' ? 'Ultrapeer' : 'Leaf', chip('quiet', how)),
    facts.changesIn === null
      ? null
      : h('p', {}, `Changes in ${formatDuration(facts.changesIn)} under current conditions.`),
    election === null ? null : h('p', {}, sentence(election.verdict)),
    election === null ? null : tests(election),
  );
}

/** Makes a sentence of a text of the API, which has lower case and no full stop. */
export function sentence(said: string): string {
  const text = printable(said);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

/** Draws tests with their values and remedies. */
export function tests({ tests: list }: Explanation): Sketch {
  return points(
    list.map(({ name, ok, value, mend }) => ({
      name: name.replaceAll('_', ' '),
      tone: ok ? 'good' : 'bad',
      said: value,
      mend,
    })),
  );
}

interface Point {
  name: string;
  tone: 'good' | 'wait' | 'bad';
  said: string;
  mend: string | null;
}

function points(list: readonly Point[]): Sketch {
  return h(
    'ul',
    { class: 'tests' },
    list.map(({ name, tone, said, mend }) =>
      h(
        'li',
        { class: tone },
        icon(tone === 'good' ? 'yes' : 'no'),
        h(
          'div',
          {},
          h('b', {}, printable(name)),
          ' ',
          h('span', {}, printable(said)),
          mend === null ? null : h('p', {}, printable(mend)),
        ),
      ),
    ),
  );
}

function servent({
  version,
  profile,
  uptime,
  gnutella,
  api,
  servent: guid,
  bootstrap,
  neighbours,
  nat,
}: StatusView): Sketch {
  const reached = natText(nat);
  return card(
    'Servent',
    {},
    facts([
      ['Up for', formatDuration(uptime)],
      ...(bootstrap.state === 'unwanted' ? [] : ([['Neighbours', printable(bootstrap.detail)]] as [string, string][])),
      ...neighbours.map((kept): [string, string] => [printable(kept.address), keptText(kept)]),
      ['Gnutella', `${gnutella.host}:${gnutella.port}`],
      ...(reached === null ? [] : ([['Port', printable(reached)]] as [string, string][])),
      ['API', `${api.host}:${api.port}`],
      ['Profile', profile],
      ['Version', version],
      ['GUID', h('code', {}, guid)],
    ]),
  );
}

function dropped({ messages }: StatusView): Sketch {
  const reasons = Object.entries(messages.reasons)
    .filter(([, count]) => count > 0)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, REASONS_MAX);
  const [[, most] = ['', 1]] = reasons;
  return card(
    'Dropped messages',
    {},
    reasons.length === 0
      ? h('p', { class: 'empty' }, 'No dropped messages.')
      : h(
          'ul',
          { class: 'bars' },
          reasons.map(([reason, count]) =>
            h(
              'li',
              {},
              h('span', {}, reason.replaceAll('_', ' ')),
              h('meter', { min: 0, max: most, value: count, 'aria-hidden': 'true' }),
              h('span', { class: 'number' }, formatCount(count)),
            ),
          ),
        ),
    h('p', { class: 'more' }, `of ${formatCount(messages.in)} in and ${formatCount(messages.out)} out`),
  );
}
