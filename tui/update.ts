// The reducer: takes a model and a message, returns the next model and effects. Pure.

import type { ConfigPlan, DhtView, Explanation, PreviewView, RefusedPeersView, SearchView } from '../api/control.ts';
import { routes } from '../api/outline.ts';
import { actions, withToast } from './actions.ts';
import { withLines } from './daemon-log.ts';
import { withEvents } from './events.ts';
import { fleetPane } from './fleet.ts';
import { helpRoom } from './help.ts';
import { bindingFor } from './keys.ts';
import * as listing from './listing.ts';
import {
  type Answer,
  type Call,
  type Context,
  contextOf,
  type DaemonConnection,
  isReadOnly,
  type Message,
  type Model,
  type Question,
  type Step,
  stay,
} from './model.ts';
import { withNews } from './news.ts';
import {
  answersPane,
  dhtPane,
  explanationPane,
  type Pane,
  planLines,
  planOutcome,
  previewPane,
  refusedPane,
} from './pane.ts';
import { paneRoom } from './pane-lines.ts';
import { promptKey } from './prompt.ts';
import { withRemembered } from './remember.ts';
import { listOf, lists, viewRow, views } from './views/all.ts';
import { searchList, searchName } from './views/searches.ts';

export function update(model: Model, message: Message): Step {
  const step = permitted(next(model, message));
  const calls = step.effects.filter(({ type }) => type === 'call' || type === 'bulk').length;
  return calls === 0 ? step : { ...step, model: { ...step.model, waiting: step.model.waiting + calls } };
}

/** Drops effects that the key does not permit. */
function permitted(step: Step): Step {
  const scopes = contextOf(step.model).world.caller?.scopes;
  if (scopes === undefined || scopes.includes('admin')) return step;
  for (const effect of step.effects) {
    const calls = effect.type === 'call' ? [effect] : effect.type === 'bulk' ? effect.calls : [];
    const barred = calls
      .map(({ name }) => routes[name]?.scope ?? 'admin')
      .find(scope => scope === 'admin' || !mayDo(scopes, scope));
    if (barred !== undefined)
      return stay(
        withToast(
          { ...step.model, question: null, prompt: null },
          `this key is ${isReadOnly(scopes) ? 'read-only' : `not for ${barred}s`}: nothing was done`,
          'bad',
        ),
      );
  }
  return step;
}

const mayDo = (scopes: readonly string[], scope: string): boolean =>
  scope === 'open' || scope === 'read' || scopes.includes(scope);

function next(model: Model, message: Message): Step {
  switch (message.type) {
    case 'key':
      return pressed(model, message.key, message.text);
    case 'resize':
      return stay(resized(model, Math.max(1, message.columns), Math.max(1, message.rows)));
    case 'tick':
      return stay({ ...model, now: message.now, toast: (model.toast?.until ?? 0) > message.now ? model.toast : null });
    case 'data': {
      const heard = withContext(model, message.context, context => ({
        ...context,
        world: withNews(context.world, message.data, message.at),
      }));
      return stay(message.context === model.context ? settled(heard) : heard);
    }
    case 'events': {
      const told = withContext(model, message.context, context => ({
        ...context,
        world: withEvents(context.world, message.events, message.at),
      }));
      return stay(message.context === model.context ? settled(told) : told);
    }
    case 'gap':
      return stay(missed(model, message));
    case 'link':
      return stay(withContext(model, message.context, context => linked(context, message.link, message.at)));
    case 'fleet':
      return stay({ ...model, pane: fleetPane(message.rows) });
    case 'answered':
      return stay(answered(model, message));
    case 'notice':
      return stay(withToast(noted(model, false, message.text), message.text, 'bad'));
    case 'remembered':
      return stay(withRemembered(model, message.remembered));
    case 'view':
      return stay({ ...model, view: message.view, second: false, help: null });
    case 'pick':
      return stay(picked(model, message.list, message.key));
    case 'sort':
      return stay(listing.sortColumn(focused(model, message.list), lists[message.list], message.column));
    case 'wheel':
      if (model.help !== null)
        return stay({ ...model, help: Math.max(0, Math.min(helpRoom(model).last, model.help + message.by)) });
      return stay(listing.moveBy(focused(model, message.list), lists[message.list], message.by));
  }
}

function resized(model: Model, columns: number, rows: number): Model {
  const help = model.help === null ? null : Math.max(0, Math.min(model.help, helpRoom({ columns, rows }).last));
  return { ...model, columns, rows, help };
}

function withContext(model: Model, at: number, change: (context: Context) => Context): Model {
  return { ...model, contexts: model.contexts.map((context, i) => (i === at ? change(context) : context)) };
}

function linked(context: Context, link: DaemonConnection, at: number): Context {
  const before = context.link.state;
  const line = (level: 'info' | 'error', text: string): Context => ({
    ...context,
    link,
    world: withLines(context.world, [{ at, level, from: 'dashboard', text }]),
  });
  if (link.state === 'lost' && before !== 'lost')
    return line('error', `lost the daemon at ${context.url}: ${link.reason}`);
  if (link.state === 'up' && before === 'lost') return line('info', `the daemon at ${context.url} answers again`);
  return { ...context, link };
}

/** Reports missed events in the log. */
function missed(model: Model, { context: at, gap, queries, at: now }: Extract<Message, { type: 'gap' }>): Model {
  const count = gap.skipped === null ? 'some' : String(gap.skipped);
  const text = queries
    ? `${count} queries are missing from this list (${gap.reason})`
    : `${count} events were missed (${gap.reason}): all data was reloaded`;
  const noted = withContext(model, at, context => ({
    ...context,
    world: withLines(context.world, [{ at: now, level: 'warn', from: 'dashboard', text }]),
  }));
  return at === model.context ? withToast({ ...noted, now }, text) : noted;
}

/** Removes marks of rows that no longer exist. */
function settled(model: Model): Model {
  const list = listOf(model);
  return list === null ? model : listing.dropLostMarks(model, list);
}

function answered(before: Model, answer: Answer): Model {
  const model = { ...before, waiting: Math.max(0, before.waiting - 1) };
  const { ok, text, call, output, items } = answer;
  if (ok && call?.show !== undefined) return shown(model, call, output);
  const opened = ok && call?.name === 'startSearch' ? searchOpened(model, output as SearchView) : model;
  const said = text === '' ? opened : withToast(noted(opened, ok, text), text, ok ? 'good' : 'bad');
  const refused = items?.some(({ refusal }) => refusal !== null) ?? false;
  return refused && items !== undefined ? { ...said, pane: answersPane('Answers', items) } : said;
}

/** Moves the cursor to the new search, so that its results are shown. */
function searchOpened(model: Model, { id }: SearchView): Model {
  return listing.withList(model, searchList, { key: id, index: 0, filter: '' });
}

function noted(model: Model, ok: boolean, text: string): Model {
  return withContext(model, model.context, context => ({
    ...context,
    world: withLines(context.world, [{ at: model.now, level: ok ? 'info' : 'error', from: 'dashboard', text }]),
  }));
}

/** Opens the pane or question of an answer. */
function shown(model: Model, call: Call, output: unknown): Model {
  const title = call.title ?? '';
  switch (call.show) {
    case 'refused':
      return { ...model, pane: refusedPane(title, output as RefusedPeersView) };
    case 'dht':
      return { ...model, pane: dhtPane(title, output as DhtView) };
    case 'preview':
      return { ...model, pane: previewPane(title, output as PreviewView) };
    case 'plan': {
      const plan = output as ConfigPlan;
      if (plan.changes.length === 0 && plan.overruled.length === 0)
        return withToast(model, 'no change: the value is already set');
      const { dryRun: _, ...patch } = call.input as { dryRun?: boolean };
      const effects = [{ ...call, input: patch, show: 'outcome' as const }];
      return { ...model, question: { text: title, about: planLines(plan), effects, list: null } };
    }
    case 'outcome': {
      const plan = output as ConfigPlan;
      const failed = plan.changes.some(({ error }) => error !== null);
      const text = planOutcome(plan);
      return withToast(noted(model, !failed, text), text, failed ? 'bad' : 'good');
    }
    default:
      return { ...model, pane: explanationPane(title, output as Explanation) };
  }
}

function focused(model: Model, list: keyof Model['lists']): Model {
  const at = viewRow(model.view).lists.indexOf(list);
  return at < 0 ? model : { ...model, second: at === 1 };
}

function picked(model: Model, id: keyof Model['lists'], key: string): Model {
  const list = lists[id];
  const before = listOf(model)?.id === id && model.lists[id].key === key;
  const at = listing.rowsShown(model, list).findIndex(row => list.keyOf(row) === key);
  const moved = listing.moveTo(focused(model, id), list, at);
  // a second click acts as Enter
  return before ? { ...moved, details: !(model.details ?? false) } : moved;
}

function pressed(model: Model, key: string, text: string | undefined): Step {
  if (model.question !== null) return decided(model, model.question, key);
  if (model.prompt !== null) return promptKey(model, model.prompt, key, text);
  if (model.pane !== null) return stay({ ...model, pane: paneKey(model, model.pane, key) });
  if (model.help !== null) return stay(helpKey(model, model.help, key));
  const view = views.find(row => row.key === key);
  if (view !== undefined) return stay({ ...model, view: view.id, second: false });
  const binding = bindingFor(key, model.view, listOf(model)?.id ?? null);
  return binding === undefined ? stay(model) : actions[binding.action]({ ...model, toast: null });
}

function decided(model: Model, question: Question, key: string): Step {
  const closed = { ...model, question: null };
  if (key === 'y' || key === 'Y' || key === 'enter') {
    const done = question.list === null ? closed : listing.unmark(closed, { id: question.list });
    return { model: done, effects: question.effects };
  }
  if (['n', 'N', 'q', 'escape', 'C-c'].includes(key)) return stay(closed);
  return stay(model);
}

function helpKey(model: Model, top: number, key: string): Model {
  return { ...model, help: scrolled(top, key, helpRoom(model), ['?', 'f1']) };
}

function paneKey(model: Model, pane: Pane, key: string): Pane | null {
  const top = scrolled(pane.top, key, paneRoom(model, pane), ['w']);
  return top === null ? null : { ...pane, top };
}

/** First visible line after a key; null closes the pane. */
function scrolled(
  top: number,
  key: string,
  { height, last }: { height: number; last: number },
  closing: readonly string[],
): number | null {
  const to = (line: number): number => Math.max(0, Math.min(last, line));
  const page = Math.max(1, height - 1);
  const { action } = bindingFor(key, 'peers', 'peers') ?? {};
  if (['escape', 'q', 'enter', 'C-c', ...closing].includes(key)) return null;
  if (action === 'down') return to(top + 1);
  if (action === 'up') return to(top - 1);
  if (action === 'pageDown' || key === 'space') return to(top + page);
  if (action === 'pageUp') return to(top - page);
  if (action === 'first') return to(0);
  if (action === 'last') return to(last);
  return top;
}

/** Title of the terminal window. */
export function titleOf(model: Model): string {
  const { name, world } = contextOf(model);
  const running = world.searches.find(({ state }) => state === 'running');
  return `servent ${name}${model.view === 'searches' && running !== undefined ? `: ${searchName(running)}` : ''}`;
}
