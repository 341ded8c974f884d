// Edits the prompt at the bottom of the screen, with history and completion. Pure.
import { withToast } from './actions.ts';
import { completions, filterCompletions, runCommand } from './commands.ts';
import { withList } from './listing.ts';
import { matcher } from './match.ts';
import { HISTORY_LINES_MAX, type Model, type Prompt, type Step, stay } from './model.ts';
import { listOf } from './views/all.ts';

/** Longest input, the limit of the API for magnet links. */
const TEXT_MAX = 16_384;

export function promptKey(model: Model, prompt: Prompt, key: string, text: string | undefined): Step {
  switch (key) {
    case 'escape':
    case 'C-c':
    case 'C-g':
      return cancel(model, prompt);
    case 'enter':
      return submit(model, prompt);
    case 'tab':
      return stay(complete(model, prompt, 1));
    case 'S-tab':
      return stay(complete(model, prompt, -1));
    case 'up':
    case 'C-p':
      return stay(recall(model, prompt, 1));
    case 'down':
    case 'C-n':
      return stay(recall(model, prompt, -1));
  }
  const edited = edit([...prompt.text], prompt.caret, key, text);
  if (edited === null) return stay(model);
  // backspace closes an empty prompt, as in vi
  if (key === 'backspace' && prompt.text === '') return cancel(model, prompt);
  return stay(change(model, prompt, edited.chars.slice(0, TEXT_MAX).join(''), edited.caret));
}

interface Edited {
  chars: string[];
  caret: number;
}

function edit(chars: string[], caret: number, key: string, text: string | undefined): Edited | null {
  const without = (from: number, to: number): Edited => ({
    chars: [...chars.slice(0, from), ...chars.slice(to)],
    caret: from,
  });
  switch (key) {
    case 'left':
    case 'C-b':
      return { chars, caret: Math.max(0, caret - 1) };
    case 'right':
    case 'C-f':
      return { chars, caret: Math.min(chars.length, caret + 1) };
    case 'home':
    case 'C-a':
      return { chars, caret: 0 };
    case 'end':
    case 'C-e':
      return { chars, caret: chars.length };
    case 'backspace':
    case 'C-h':
      return without(Math.max(0, caret - 1), caret);
    case 'delete':
    case 'C-d':
      return { ...without(caret, caret + 1), caret };
    case 'C-u':
      return without(0, caret);
    case 'C-k':
      return without(caret, chars.length);
    case 'C-w': {
      let from = caret;
      while (from > 0 && chars[from - 1] === ' ') from--;
      while (from > 0 && chars[from - 1] !== ' ') from--;
      return without(from, caret);
    }
  }
  if (text === undefined || text === '') return null;
  const more = [...text];
  return { chars: [...chars.slice(0, caret), ...more, ...chars.slice(caret)], caret: caret + more.length };
}

function change(model: Model, prompt: Prompt, text: string, caret: number): Model {
  // combined surrogates shorten the text
  const next = { ...model, prompt: { ...prompt, text, caret: Math.min(caret, [...text].length), completion: null } };
  return prompt.kind === 'filter' ? filtered(next, text) : next;
}

/** Applies the filter while it is typed; an invalid one leaves the previous one in force. */
function filtered(model: Model, typed: string): Model {
  const list = listOf(model);
  if (list === null) return model;
  const filter = typed.trim();
  const { fault } = matcher(filter, list.fields, model.now);
  const prompt = model.prompt === null ? null : { ...model.prompt, fault };
  return fault === null ? withList({ ...model, prompt }, list, { filter }) : { ...model, prompt };
}

function cancel(model: Model, prompt: Prompt): Step {
  const closed = { ...model, prompt: null };
  return stay(prompt.kind === 'filter' ? filtered(closed, '') : closed);
}

function submit(model: Model, prompt: Prompt): Step {
  const closed = { ...model, prompt: null };
  // an invalid filter stays open for correction
  if (prompt.kind === 'filter') return stay(prompt.fault === null ? closed : model);
  const line = prompt.text.trim();
  if (line === '') return stay(closed);
  const said = [line, ...model.said.filter(text => text !== line)].slice(0, HISTORY_LINES_MAX);
  const step = runCommand({ ...closed, said }, line);
  // a refused command stays open for correction
  if (step.model.toast?.mood === 'bad' && step.model.toast !== model.toast)
    return { ...step, model: { ...withToast(step.model, step.model.toast.text, 'bad'), prompt } };
  return step;
}

function recall(model: Model, prompt: Prompt, step: 1 | -1): Model {
  if (prompt.kind === 'filter') return model;
  const back = prompt.back + step;
  if (back < 0 || back > model.said.length) return model;
  const text = back === 0 ? '' : (model.said[back - 1] ?? '');
  return { ...model, prompt: { ...prompt, text, caret: [...text].length, completion: null, back } };
}

function complete(model: Model, prompt: Prompt, step: 1 | -1): Model {
  const offered = prompt.kind === 'command' ? completions : filterCompletions;
  const begun = prompt.completion ?? { ...offered(model, prompt.text), index: step === 1 ? -1 : 0 };
  const { stem, items } = begun;
  if (items.length === 0) return model;
  const [only] = items;
  if (items.length === 1 && only !== undefined) {
    const text = `${stem}${only}${prompt.kind === 'command' ? ' ' : ''}`;
    return typedIn(model, { ...prompt, text, caret: [...text].length, completion: null });
  }
  const shared = commonStart(items);
  // first the common prefix, then each candidate in turn
  if (prompt.completion === null && stem.length + shared.length > prompt.text.length) {
    const text = stem + shared;
    return typedIn(model, { ...prompt, text, caret: [...text].length, completion: { items, index: -1, stem } });
  }
  const index = (begun.index + step + items.length) % items.length;
  const text = stem + (items[index] ?? '');
  return typedIn(model, { ...prompt, text, caret: [...text].length, completion: { items, index, stem } });
}

function typedIn(model: Model, prompt: Prompt): Model {
  return prompt.kind === 'filter' ? filtered({ ...model, prompt }, prompt.text) : { ...model, prompt };
}

function commonStart(items: readonly string[]): string {
  let shared = items[0] ?? '';
  for (const item of items) while (!item.startsWith(shared)) shared = shared.slice(0, -1);
  return shared;
}
