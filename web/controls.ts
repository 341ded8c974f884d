// Controls shared by the views.
import { printable } from '../api/format.ts';
import { type IconName, icon } from './icons.ts';
import { type Child, type Handler, h, type Props, type Sketch } from './sketch.ts';

/** Text from other servents, isolated in its reading direction and without control characters. */
export function foreign(text: string, props: Props = {}): Sketch {
  return h('bdi', props, printable(text));
}

/** URN, or its first 12 characters with `short`. */
export function hash(urn: string, short = false): Sketch {
  const text = printable(urn);
  return h('code', { title: text }, short ? `${text.slice(text.lastIndexOf(':') + 1).slice(0, 12)}` : text);
}

export type Tone = 'good' | 'busy' | 'wait' | 'bad' | 'quiet';

export function chip(tone: Tone, text: string): Sketch {
  return h('span', { class: `chip ${tone}` }, text);
}

/** Button with visible `text`; `label` is its full description. */
export function button(text: string, onclick: Handler, props: Props & { icon?: IconName } = {}): Sketch {
  const { icon: name, ...rest } = props;
  return h('button', { type: 'button', onclick, ...rest }, name === undefined ? null : icon(name), h('span', {}, text));
}

/** Button with only an icon; the label is its tooltip and accessible name. */
export function iconButton(name: IconName, label: string, onclick: Handler, props: Props = {}): Sketch {
  const text = printable(label);
  return h('button', { type: 'button', class: 'bare', 'aria-label': text, title: text, onclick, ...props }, icon(name));
}

export interface Field {
  name: string;
  label: string;
  placeholder: string;
  button: string;
  icon: IconName;
  /** Called with the trimmed, non-empty input; true: success, and the field is cleared. */
  onSubmit: (text: string) => Promise<boolean>;
  /** A second button, before the first. */
  readonly other?: { readonly button: string; readonly onClick: (text: string) => Promise<boolean> };
}

/** Form of one field and a button. */
export function fieldForm({ name, label, placeholder, button: text, icon: drawing, onSubmit, other }: Field): Sketch {
  const take = (form: HTMLFormElement, use: Field['onSubmit']): void => {
    const input = form.elements.namedItem(name) as HTMLInputElement;
    const typed = input.value.trim();
    if (typed === '') input.focus();
    else
      void use(typed).then(done => {
        if (done) input.value = '';
      });
  };
  return h(
    'form',
    {
      key: name,
      class: 'field',
      onsubmit: event => {
        event.preventDefault();
        take(event.currentTarget as HTMLFormElement, onSubmit);
      },
    },
    h('input', {
      name,
      'aria-label': label,
      placeholder,
      autocomplete: 'off',
      autocapitalize: 'off',
      spellcheck: 'false',
      maxlength: 4096,
    }),
    other === undefined
      ? null
      : button(other.button, event =>
          take((event.currentTarget as HTMLButtonElement).form as HTMLFormElement, other.onClick),
        ),
    h('button', { type: 'submit', class: 'main' }, icon(drawing), h('span', {}, text)),
  );
}

export function facts(rows: readonly (readonly [name: string, value: Child | null])[]): Sketch {
  return h(
    'dl',
    { class: 'facts' },
    rows.flatMap(([name, value]) => (value === null ? [] : [h('div', {}, h('dt', {}, name), h('dd', {}, value))])),
  );
}

export function card(title: string, props: Props, ...children: (Child | null)[]): Sketch {
  const { class: more, ...rest } = props;
  return h(
    'section',
    { class: `card${typeof more === 'string' ? ` ${more}` : ''}`, ...rest },
    h('h2', {}, title),
    children,
  );
}
