// What lies over a view until it is closed: explanations, plans, answers one by one. Pure.
import type { ConfigPlan, Explanation, PreviewView, RefusedPeersView } from '../api/control.ts';
import { counted } from '../api/format.ts';
import { previewLines } from '../api/preview-lines.ts';
import { formatClock } from './format.ts';
import type { Meaning } from './theme.ts';

export interface PaneLine {
  readonly text: string;
  readonly meaning: Meaning;
  /** Drawn before the text: whether it is well. */
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

/** Each test with its value, and under one that failed what to do about it. */
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

/** Handshakes that came to nothing. */
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

/** What strangers would see of a folder, and what is left out by which rule. */
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
  /** null: it was done. */
  readonly refusal: string | null;
}

/** What became of each of several things that were asked for at once. */
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
  hot: 'counts at once',
  reconnect: 'counts for connections made from then on',
  restart: 'counts from the next start on',
} as const;

const shown = (value: unknown): string => (value === null || value === undefined ? 'nothing' : JSON.stringify(value));

/** A change of configuration before it is made, a line for each setting. */
export function planLines({ file, changes, overruled }: ConfigPlan): string[] {
  return [
    ...changes.map(({ key, from, to, effect, error }) =>
      error === null ? `${key}: ${shown(from)} becomes ${shown(to)}, ${EFFECTS[effect]}` : `${key}: ${error}`,
    ),
    ...overruled.map(({ key, by }) => `${key} is written down, but ${by} decides: it changes nothing now`),
    file === null ? 'There is no configuration file to write to.' : `It is written to ${file}.`,
  ];
}

/** After it was made: when it counts. */
export function planOutcome({ changes, overruled, restart }: ConfigPlan): string {
  const failed = changes.find(({ error }) => error !== null);
  if (failed !== undefined) return `${failed.key}: ${failed.error}`;
  if (changes.length === 0)
    return overruled.length === 0 ? 'nothing changed' : `written, but ${overruled[0]?.by} decides`;
  return `${counted(changes.length, 'setting')} changed${restart ? ': restart the daemon for it to count' : ''}`;
}
