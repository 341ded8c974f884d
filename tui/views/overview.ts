// Overview: role, peers, rates, drops and notes.

import type { LimitView, StatusView } from '../../api/control.ts';
import { formatLimit, formatShare, keptText } from '../../api/format.ts';
import { natText } from '../../api/nat-text.ts';
import type { Rect } from '../canvas.ts';
import { drawDetails } from '../draw-list.ts';
import { formatBytes, formatCount, formatExact, formatPerSecond, formatRate, formatSpan } from '../format.ts';
import { bar, graph, peak } from '../graph.ts';
import { capacityOf, type SeriesName, stretch } from '../history.ts';
import type { World } from '../model.ts';
import { columnsOf, type Stage, splitRows, type View } from '../stage.ts';
import type { Detail } from '../table.ts';
import type { Meaning } from '../theme.ts';
import { fit, textWidth, wrap } from '../width.ts';

const FACT_ROWS = 9;
/** With so many rows on the screen there is one more for facts. */
const TALL_FROM_ROWS = 24;
/** Width from which the role has a frame of its own. */
const THREE_FROM_COLUMNS = 120;
const ROOMY_FROM_ROWS = 34;
const VERDICT_ROWS_MAX = 2;
const LOWEST_ROWS = 6;

export const overviewView: View = { draw };

function draw(stage: Stage, rect: Rect): void {
  const { status } = stage.world;
  const narrow = rect.width < 70;
  const criteria = status?.election.criteria.length ?? 0;
  const three = rect.width >= THREE_FROM_COLUMNS;
  const roomy = three && rect.height >= ROOMY_FROM_ROWS;
  const rows = rect.height >= TALL_FROM_ROWS ? FACT_ROWS + 1 : FACT_ROWS;
  const factRows = roomy ? Math.max(FACT_ROWS + 1, criteria + VERDICT_ROWS_MAX + 2) : rows;
  const [facts, rest] = splitRows(rect, Math.min(rect.height, factRows));
  const [left, right, third] = narrow ? [facts, null] : columnsOf(facts, three ? 3 : 2);
  if (third) drawRole(stage, third);
  if (left) drawFacts(stage, left, 'Servent', status === null ? [] : serventFacts(status, left.width));
  if (right) drawFacts(stage, right, 'Network', status === null ? [] : networkFacts(status));
  const below = Math.max(LOWEST_ROWS, Math.min(12, Math.floor(rest.height / 3)));
  const [graphs, lowest] = splitRows(rest, rest.height - below);
  drawGraphs(stage, graphs, narrow);
  const [drops, notes] = narrow ? [null, lowest] : columnsOf(lowest, 2);
  if (drops) drawDrops(stage, drops);
  if (notes) drawNotes(stage, notes);
}

function drawFacts(stage: Stage, rect: Rect, title: string, facts: readonly Detail[]): void {
  const inner = stage.canvas.frame(rect, stage.theme, title);
  if (facts.length === 0) stage.canvas.put(inner.x + 1, inner.y, 'asking the daemon', stage.theme.dim, inner.width - 2);
  drawDetails(stage, facts, { ...inner, x: inner.x + 1, width: inner.width - 2 });
}

const GUID_FROM_COLUMNS = 48;

const serventFacts = (status: StatusView, width: number): Detail[] => [
  ['role', `${status.mode}, profile ${status.profile}`, status.mode === 'ultrapeer' ? 'info' : 'text'],
  ['gnutella', `${status.gnutella.host}:${status.gnutella.port}`],
  ['api', `${status.api.host}:${status.api.port}`],
  ['version', `${status.version}, up ${formatSpan(status.uptime)}`],
  ['reach', reachOf(status), status.reachability.tcp.state === 'firewalled' ? 'warn' : 'text'],
  ...natFacts(status),
  ['library', `${formatExact(status.library.files)} files, ${formatBytes(status.library.bytes)}`],
  ...limitFacts(status, width < GUID_FROM_COLUMNS),
  ...(width < GUID_FROM_COLUMNS ? [] : ([['guid', status.servent, 'dim']] as Detail[])),
];

/** What the router, a VPN or a proxy has to do with it. */
function natFacts({ nat }: StatusView): Detail[] {
  const text = natText(nat);
  const isWell = nat.trouble === null && (nat.proxy?.trouble ?? null) === null && nat.interface?.address !== null;
  return text === null ? [] : [['port', text, isWell ? 'text' : 'warn']];
}

const reachOf = ({ reachability: { tcp, udp } }: StatusView): string =>
  tcp.state === udp.state ? `${tcp.state}, TCP and UDP` : `TCP ${tcp.state}, UDP ${udp.state}`;

/** From this share of a limit on it counts as reached. */
const REACHED = 0.95;

/** Use against limits and the monthly budget, what is nearest to its end first; `narrow`: only that. */
function limitFacts({ limits, budget }: StatusView, narrow: boolean): Detail[] {
  const shares = limits.map(limit => ({
    text: `${limit.name} ${narrow && limit.value > 0 ? shareOf(limit) : formatLimit(limit)}`,
    share: limit.stopped ? Number.POSITIVE_INFINITY : (limit.used ?? 0) / limit.value,
  }));
  if (budget !== null)
    shares.push({ text: `month ${formatShare(budget.used, budget.bytes)} used`, share: budget.used / budget.bytes });
  shares.sort((a, b) => b.share - a.share);
  const most = shares[0]?.share ?? 0;
  const meaning: Meaning = most >= 1 ? 'bad' : most >= REACHED ? 'warn' : 'text';
  const shown = narrow ? shares.slice(0, 1) : shares;
  return shares.length === 0 ? [] : [['limits', shown.map(({ text }) => text).join(', '), meaning]];
}

const shareOf = ({ used, value }: LimitView): string => `${formatShare(used ?? 0, value)} of ${formatRate(value)}`;

const networkFacts = (status: StatusView): Detail[] => [
  ['ultrapeers', formatExact(status.peers.ultrapeers), status.peers.ultrapeers === 0 ? 'warn' : 'number'],
  ['leaves', formatExact(status.peers.leaves), 'number'],
  ['hosts known', formatExact(status.hosts), status.hosts === 0 ? 'warn' : 'number'],
  dhtFact(status.dht),
  ['searches', `${status.searches} running`],
  [
    'downloads',
    `${status.downloads.active} active, ${status.downloads.queued} queued`,
    status.downloads.active > 0 ? 'in' : 'text',
  ],
  [
    'uploads',
    `${status.uploads.active} active, ${status.uploads.queued} queued`,
    status.uploads.active > 0 ? 'out' : 'text',
  ],
  ['messages', `${formatCount(status.messages.in)} in, ${formatCount(status.messages.out)} out`],
];

function dhtFact({ mode, state, nodes, size, values }: StatusView['dht']): Detail {
  if (mode === 'off') return ['DHT nodes', 'off', 'dim'];
  const more = state === 'seeking' ? state : mode === 'active' ? `${formatCount(values)} values` : mode;
  return ['DHT nodes', `${formatCount(nodes)} of ${formatCount(size)}, ${more}`, state === 'ready' ? 'text' : 'warn'];
}

type Election = StatusView['election'];

/** Draws the election: each criterion with its value and threshold. */
function drawRole(stage: Stage, rect: Rect): void {
  const { canvas, theme, world } = stage;
  const election = world.status?.election;
  const inner = canvas.frame(rect, theme, 'Role', { note: 'w explains' });
  if (election === undefined) return;
  const head = wrap(verdictOn(election), inner.width - 2, VERDICT_ROWS_MAX);
  for (const [i, line] of head.entries()) canvas.put(inner.x + 1, inner.y + i, line, theme.strong);
  const signs = theme.charset === 'ascii' ? ['+', '!'] : ['✓', '✗'];
  // unmet criteria first, since not all may fit
  const criteria = [...election.criteria].sort((a, b) => Number(a.met) - Number(b.met));
  const room = Math.max(0, inner.height - head.length);
  for (const [i, { name, value, wanted, met }] of criteria.slice(0, room).entries()) {
    const y = inner.y + head.length + i;
    canvas.put(inner.x + 1, y, signs[met ? 0 : 1] ?? '', met ? theme.good : theme.bad);
    canvas.label(inner.x + 3, y, name.replaceAll('_', ' '), theme.dim, 15);
    const against = typeof wanted === 'boolean' ? '' : ` of ${measured(name, wanted)}`;
    canvas.label(inner.x + 19, y, measured(name, value), met ? theme.number : theme.bad, 10);
    if (textWidth(against) <= inner.width - 30) canvas.put(inner.x + 29, y, against, theme.dim);
  }
}

function verdictOn({ mode, active, role, fit, needed, changesIn }: Election): string {
  const noun = role === 'leaf' ? 'a leaf' : 'an ultrapeer';
  if (!active && mode === 'auto') return `${noun}: no elections, gnutella.seek is 0`;
  if (!active) return `${noun}, set by gnutella.mode: ${mode}`;
  const why =
    role === 'ultrapeer' ? (needed ? 'elected' : 'no longer needed') : fit ? 'fit, not needed' : 'not fit for more';
  return `${noun}, ${why}${changesIn === null ? '' : `; changes in ${formatSpan(changesIn)}`}`;
}

/** Formats a value in the unit of the criterion. */
function measured(name: string, value: number | boolean | null): string {
  if (value === null) return 'not known';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (name.endsWith('uptime')) return formatSpan(value);
  if (name === 'upload') return formatRate(value);
  if (name === 'memory') return formatBytes(value);
  if (name === 'cpu') return `${Math.round(value * 100)} %`;
  return formatCount(value);
}

interface Pair {
  readonly title: string;
  readonly up: SeriesName;
  readonly down: SeriesName | null;
  readonly format: (value: number) => string;
}

const perSecond = (value: number): string => `${formatPerSecond(value)}/s`;
const GRAPHS: readonly Pair[] = [
  { title: 'Messages', up: 'messagesIn', down: 'messagesOut', format: perSecond },
  { title: 'Transfers', up: 'download', down: 'upload', format: formatRate },
  { title: 'Queries', up: 'queries', down: null, format: perSecond },
  { title: 'Peers', up: 'peers', down: null, format: value => formatCount(value) },
];

function drawGraphs(stage: Stage, rect: Rect, narrow: boolean): void {
  if (narrow) {
    drawPair(stage, rect, GRAPHS[0]);
    return;
  }
  const rows = rect.height >= 18 ? splitRows(rect, Math.ceil(rect.height / 2)) : [rect];
  for (const [i, row] of rows.entries()) {
    const count = rows.length === 1 && rect.width >= 150 ? 4 : 2;
    for (const [j, part] of columnsOf(row, count).entries()) drawPair(stage, part, GRAPHS[2 * i + j]);
  }
}

/** Draws one series above the middle line and one below. */
function drawPair({ canvas, theme, model, world }: Stage, rect: Rect, pair: Pair | undefined): void {
  if (pair === undefined) return;
  const series = world.history[model.range];
  const up = series[pair.up];
  const down = pair.down === null ? null : series[pair.down];
  const inner = canvas.frame(rect, theme, `${pair.title}, last ${model.range}`);
  if (inner.height < 1) return;
  const shape = (values: readonly number[], height: number, max: number, hanging: boolean): string[] =>
    graph(
      stretch(values, inner.width * (theme.charset === 'ascii' ? 1 : 2), capacityOf(model.range)),
      inner.width,
      height,
      {
        charset: theme.charset,
        max,
        hanging,
      },
    );
  const max = Math.max(peak(up), peak(down ?? []));
  const upper = down === null ? inner.height : Math.ceil(inner.height / 2);
  for (const [i, line] of shape(up, upper, max, false).entries()) canvas.put(inner.x, inner.y + i, line, theme.in);
  if (down !== null)
    for (const [i, line] of shape(down, inner.height - upper, max, true).entries())
      canvas.put(inner.x, inner.y + upper + i, line, theme.out);
  drawLegend(canvas, theme, rect, pair, up.at(-1) ?? 0, down?.at(-1) ?? null);
}

/** Draws current values on the lower edge of the frame. */
function drawLegend(
  canvas: Stage['canvas'],
  theme: Stage['theme'],
  rect: Rect,
  pair: Pair,
  up: number,
  down: number | null,
): void {
  const y = rect.y + rect.height - 1;
  const upText = ` ${down === null ? 'now' : 'in'} ${pair.format(up)} `;
  canvas.put(rect.x + 2, y, upText, theme.in, rect.width - 4);
  if (down === null) return;
  canvas.put(
    rect.x + 2 + textWidth(upText) + 1,
    y,
    ` out ${pair.format(down)} `,
    theme.out,
    rect.width - textWidth(upText) - 5,
  );
}

const HARMLESS = new Set(['duplicate', 'hit_expired', 'hit_no_route', 'ping_too_soon', 'not_spoken']);

function drawDrops({ canvas, theme, world }: Stage, rect: Rect): void {
  const { dropped = 0, reasons = {} } = world.status?.messages ?? {};
  const inner = canvas.frame(rect, theme, 'Dropped, by reason', { note: formatExact(dropped) });
  const rows = Object.entries(reasons)
    .filter(([, count]) => count > 0)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  if (rows.length === 0) canvas.put(inner.x + 1, inner.y, 'nothing', theme.dim, inner.width - 2);
  const name = Math.min(20, Math.floor(inner.width * 0.45));
  const most = rows[0]?.[1] ?? 0;
  for (const [i, [reason, count]] of rows.slice(0, inner.height).entries()) {
    const y = inner.y + i;
    const meaning: Meaning = HARMLESS.has(reason) ? 'dim' : 'warn';
    canvas.label(inner.x + 1, y, reason.replaceAll('_', ' '), theme.text, name);
    canvas.put(inner.x + name + 2, y, bar(count / most, inner.width - name - 10, theme.charset), theme[meaning]);
    canvas.put(inner.x + inner.width - 7, y, fit(formatCount(count), 6, true), theme.number);
  }
}

export interface Note {
  readonly meaning: Meaning;
  readonly text: string;
}

const FINDING_MEANING = { ok: 'good', warning: 'warn', bad: 'bad' } as const;

/** Notes about problems, with remedies, most important first. */
export function notesOn(world: World): Note[] {
  const { status, downloads } = world;
  if (status === null) return [];
  const notes: Note[] = [];
  const say = (meaning: Meaning, text: string): void => {
    notes.push({ meaning, text });
  };
  const peers = status.peers.leaves + status.peers.ultrapeers;
  if (peers === 0) {
    say('bad', status.hosts === 0 ? 'no peers, no hosts: c connects' : 'no peers: c connects, 8 has hosts');
    const { state, detail } = status.bootstrap;
    if (state !== 'unwanted' && state !== 'linked') say('warn', detail);
  } else if (status.mode === 'leaf' && status.peers.ultrapeers < 2) say('warn', 'only one ultrapeer is connected');
  for (const kept of status.neighbours)
    if (kept.state === 'waiting' && kept.why !== null) say('warn', `${kept.address}: ${keptText(kept)}`);
  for (const { name, state, detail, mend } of status.attention)
    say(FINDING_MEANING[state], `${name}: ${detail}${mend === null ? '' : `; ${mend}`}`);
  const failed = downloads.filter(({ state }) => state === 'failed').length;
  if (failed > 0) say('bad', `${failed} failed ${failed === 1 ? 'download' : 'downloads'}: 5 shows why`);
  if (status.library.files === 0) say('warn', 'nothing is shared: press 7, then a');
  const starving = downloads.filter(({ state, sources }) => state === 'queued' && sources.length === 0).length;
  if (starving > 0) say('warn', `${starving} ${starving === 1 ? 'download has' : 'downloads have'} no sources`);
  if (status.library.hashing > 0) say('info', `${formatExact(status.library.hashing)} files to hash`);
  if (status.uploads.queued > 0) say('info', `${status.uploads.queued} wait for an upload slot`);
  if (notes.length === 0) say('good', 'no problems');
  return notes;
}

/** Wraps notes into the lines available: one line each, spare lines to the first that need more; the rest is counted. */
export function noteLines(notes: readonly Note[], width: number, height: number): (readonly string[])[] {
  const shown = notes.length > height ? notes.slice(0, Math.max(0, height - 1)) : notes;
  let free = height - shown.length - (shown.length < notes.length ? 1 : 0);
  const blocks = shown.map(({ text }) => {
    const lines = wrap(text, width, 1 + free);
    free -= lines.length - 1;
    return lines;
  });
  return shown.length < notes.length && height > 0 ? [...blocks, [`and ${notes.length - shown.length} more`]] : blocks;
}

function drawNotes({ canvas, theme, world }: Stage, rect: Rect): void {
  const inner = canvas.frame(rect, theme, 'To know');
  const notes = notesOn(world);
  let { y } = inner;
  for (const [i, lines] of noteLines(notes, inner.width - 4, inner.height).entries()) {
    canvas.put(inner.x + 1, y, theme.lines.bullet, theme[notes[i]?.meaning ?? 'dim']);
    for (const line of lines) canvas.put(inner.x + 3, y++, line, theme.text);
  }
}
