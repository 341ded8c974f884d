// The reducer: from what is known and what happened to what is known now and what is to be done. Pure.
import { actions, withToast } from './actions.ts';
import { withEvents } from './events.ts';
import { helpRoom } from './help.ts';
import { bindingFor } from './keys.ts';
import * as listing from './listing.ts';
import {
  type Context,
  contextOf,
  type LinkState,
  type Message,
  type Model,
  type Question,
  type Step,
  stay,
} from './model.ts';
import { withLines, withNews } from './news.ts';
import { promptKey } from './prompt.ts';
import { listOf, lists, viewRow, views } from './views/all.ts';
import { searchName } from './views/searches.ts';

export function update(model: Model, message: Message): Step {
  const step = next(model, message);
  const calls = step.effects.filter(({ type }) => type === 'call').length;
  return calls === 0 ? step : { ...step, model: { ...step.model, waiting: step.model.waiting + calls } };
}

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
    case 'answered':
      return stay(answered(model, message.ok, message.text));
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

function linked(context: Context, link: LinkState, at: number): Context {
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

/** What could not be had is said: in the log, and at once to whoever looks at it. */
function missed(model: Model, { context: at, gap, queries, at: now }: Extract<Message, { type: 'gap' }>): Model {
  const count = gap.skipped === null ? 'some' : String(gap.skipped);
  const text = queries
    ? `${count} queries passed that this list does not have (${gap.reason})`
    : `${count} events were missed (${gap.reason}): everything was asked for anew`;
  const noted = withContext(model, at, context => ({
    ...context,
    world: withLines(context.world, [{ at: now, level: 'warn', from: 'dashboard', text }]),
  }));
  return at === model.context ? withToast({ ...noted, now }, text) : noted;
}

/** After rows came: marks of rows that are gone go too. */
function settled(model: Model): Model {
  const list = listOf(model);
  return list === null ? model : listing.dropLostMarks(model, list);
}

function answered(model: Model, ok: boolean, text: string): Model {
  const said = withContext(model, model.context, context => ({
    ...context,
    world: withLines(context.world, [{ at: model.now, level: ok ? 'info' : 'error', from: 'dashboard', text }]),
  }));
  return withToast({ ...said, waiting: Math.max(0, model.waiting - 1) }, text, ok ? 'good' : 'bad');
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
  // A second click on the same row is Enter.
  return before ? { ...moved, details: !(model.details ?? false) } : moved;
}

function pressed(model: Model, key: string, text: string | undefined): Step {
  if (model.question !== null) return decided(model, model.question, key);
  if (model.prompt !== null) return promptKey(model, model.prompt, key, text);
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
  const { height, last } = helpRoom(model);
  const page = Math.max(1, height - 1);
  const to = (line: number): Model => ({ ...model, help: Math.max(0, Math.min(last, line)) });
  switch (key) {
    case 'down':
    case 'j':
      return to(top + 1);
    case 'up':
    case 'k':
      return to(top - 1);
    case 'pagedown':
    case 'space':
    case 'C-f':
      return to(top + page);
    case 'pageup':
    case 'C-b':
      return to(top - page);
    case 'home':
    case 'g':
      return to(0);
    case 'end':
    case 'G':
      return to(last);
    case 'escape':
    case 'q':
    case '?':
    case 'enter':
    case 'f1':
    case 'C-c':
      return { ...model, help: null };
    default:
      return model;
  }
}

/** What the terminal's title says. */
export function titleOf(model: Model): string {
  const { name, world } = contextOf(model);
  const running = world.searches.find(({ state }) => state === 'running');
  return `servent ${name}${model.view === 'searches' && running !== undefined ? `: ${searchName(running)}` : ''}`;
}
