// Builds panes over a view: explanations, plans, results of bulk calls. Pure.
import type { ConfigPlan, DhtView, Explanation, PreviewView, RefusedPeersView } from '../api/control.ts';
import { counted, formatBytes } from '../api/format.ts';
import { previewLines } from '../api/preview-lines.ts';
import { formatClock } from './format.ts';
import type { Meaning } from './theme.ts';

export interface PaneLine {
  readonly text: string;
  readonly meaning: Meaning;
  /** Mark before the text. */
  readonly mark: 'good' | 'bad' | null;
}

export interface Pane {
  readonly title: string;
  readonly lines: readonly PaneLine[];
  /** The first line shown. */
  readonly top: number;
}

const line = (text: string, meaning: Meaning = 'text', mark: PaneLine['mark'] = null): PaneLine => ({
  text,
  meaning,
  mark,
});

/** Lists each test with its value, and the remedy below a failed one. */
export function explanationPane(title: string, { verdict, tests }: Explanation): Pane {
  return {
    title,
    top: 0,
    lines: [
      line(verdict, 'strong'),
      line(''),
      ...tests.flatMap(({ name, ok, value, mend }) => [
        line(`${name.replaceAll('_', ' ')}: ${value}`, 'text', ok ? 'good' : 'bad'),
        ...(mend === null ? [] : [line(`  ${mend}`, 'dim')]),
      ]),
    ],
  };
}

const BAR_CELLS = 20;

/** The node of the DHT, and its buckets as bars. */
export function dhtPane(title: string, dht: DhtView): Pane {
  const { mode, state, why, kuid, contacts, values, publishing, size, traffic, buckets } = dht;
  const most = Math.max(1, ...buckets.map(bucketNodes));
  return {
    title,
    top: 0,
    lines: [
      line(mode === 'off' ? 'off' : `${mode}, ${state}`, 'strong'),
      ...(why === null ? [] : [line(why, 'warn')]),
      line(`KUID ${kuid}`, 'dim'),
      line(
        `${counted(contacts.good, 'good node')}, ${contacts.stale} stale, ${contacts.pending} pending; about ${size} in all`,
      ),
      line(`${counted(values, 'value')} kept for others, ${publishing} of our own published`),
      line(`${formatBytes(traffic.in)} in, ${formatBytes(traffic.out)} out`),
      line(''),
      ...(buckets.length === 0 ? [] : [line('Nodes by the bits that they share with us:', 'dim')]),
      ...buckets.map(row => bucketLine(row, most)),
    ],
  };
}

type BucketRow = DhtView['buckets'][number];

const bucketNodes = ({ good, stale, pending }: BucketRow): number => good + stale + pending;

function bucketLine(row: BucketRow, most: number): PaneLine {
  const { bits, buckets, good, stale, pending } = row;
  // good, stale and pending ones are told apart without colours
  const cells = (nodes: number): number => Math.round((nodes / most) * BAR_CELLS);
  const bar = `${'#'.repeat(cells(good))}${'='.repeat(cells(stale))}${'-'.repeat(cells(pending))}`.slice(0, BAR_CELLS);
  const more = [
    counted(buckets, 'bucket'),
    ...(stale > 0 ? [`${stale} stale`] : []),
    ...(pending > 0 ? [`${pending} pending`] : []),
  ].join(', ');
  return line(`${String(bits).padStart(2, '0')} ${bar.padEnd(BAR_CELLS, '.')} ${good} good, ${more}`);
}

/** Lists failed handshakes. */
export function refusedPane(title: string, { counts, items }: RefusedPeersView): Pane {
  const told = (direction: 'incoming' | 'outgoing'): PaneLine[] => {
    const reasons = Object.entries(counts[direction]).filter(([, count]) => count > 0);
    const text = reasons.map(([reason, count]) => `${reason.replaceAll('_', ' ')} ${count}`).join(', ');
    return [line(`${direction}: ${text === '' ? 'none' : text}`)];
  };
  return {
    title,
    top: 0,
    lines: [
      ...told('incoming'),
      ...told('outgoing'),
      line(''),
      ...(items.length === 0 ? [line('No handshake has failed.', 'good')] : []),
      ...items.flatMap(({ at, address, direction, reason, detail }) => [
        line(
          `${formatClock(Date.parse(at))} ${direction === 'incoming' ? 'from' : 'to'} ${address}: ${reason.replaceAll('_', ' ')}`,
          'text',
          'bad',
        ),
        ...(detail === '' ? [] : [line(`  ${detail}`, 'dim')]),
      ]),
    ],
  };
}

/** Lists the files that others would see of a folder, and those left out by each rule. */
export function previewPane(title: string, preview: PreviewView): Pane {
  const { summary, seen, leftOut, notes } = previewLines(preview);
  return {
    title,
    top: 0,
    lines: [
      line(summary, 'strong'),
      ...notes.map(note => line(note, 'warn')),
      line(''),
      ...seen.map(text => line(text, 'text', 'good')),
      ...leftOut.map(text => line(text, 'dim', 'bad')),
    ],
  };
}

export interface ItemAnswer {
  readonly name: string;
  /** Reason of a failure; null: success. */
  readonly refusal: string | null;
}

/** Lists the results of a bulk call. */
export function answersPane(title: string, answers: readonly ItemAnswer[]): Pane {
  const failed = answers.filter(({ refusal }) => refusal !== null).length;
  return {
    title,
    top: 0,
    lines: [
      line(`${answers.length - failed} done, ${failed} refused`, failed > 0 ? 'warn' : 'good'),
      line(''),
      ...answers.map(({ name, refusal }) =>
        refusal === null ? line(name, 'text', 'good') : line(`${name}: ${refusal}`, 'text', 'bad'),
      ),
    ],
  };
}

const EFFECTS = {
  hot: 'takes effect at once',
  reconnect: 'takes effect for new connections',
  restart: 'takes effect at the next start',
} as const;

const shown = (value: unknown): string => (value === null || value === undefined ? 'nothing' : JSON.stringify(value));

/** Describes a change of configuration, one line per setting. */
export function planLines({ file, changes, overruled }: ConfigPlan): string[] {
  return [
    ...changes.map(({ key, from, to, effect, error }) =>
      error === null ? `${key}: ${shown(from)} becomes ${shown(to)}, ${EFFECTS[effect]}` : `${key}: ${error}`,
    ),
    ...overruled.map(({ key, by }) => `${key} is written to the file, but ${by} takes precedence`),
    file === null ? 'There is no configuration file to write to.' : `It will be written to ${file}.`,
  ];
}

/** Message after the change. */
export function planOutcome({ changes, overruled, restart }: ConfigPlan): string {
  const failed = changes.find(({ error }) => error !== null);
  if (failed !== undefined) return `${failed.key}: ${failed.error}`;
  if (changes.length === 0)
    return overruled.length === 0 ? 'nothing changed' : `written, but ${overruled[0]?.by} takes precedence`;
  return `${counted(changes.length, 'setting')} changed${restart ? ', effective after a restart of the daemon' : ''}`;
}
