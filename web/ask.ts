// Asks for confirmation in a modal dialog; Escape means no.
import { printable } from '../api/format.ts';
import { draw } from './draw.ts';
import { h } from './sketch.ts';

/** `yes` is what the button says that does it; `details` are lines below the question. */
export function ask(question: string, yes: string, details: readonly string[] = []): Promise<boolean> {
  const dialog = document.getElementById('ask') as HTMLDialogElement;
  return new Promise(resolve => {
    const end = (answer: 'yes' | 'no') => () => dialog.close(answer);
    draw(dialog, [
      h('p', { id: 'question' }, printable(question)),
      ...(details.length === 0
        ? []
        : [
            h(
              'ul',
              { class: 'details', tabindex: '0', 'aria-label': 'Details' },
              details.map(line => h('li', {}, printable(line))),
            ),
          ]),
      h(
        'div',
        { class: 'bar' },
        h('button', { type: 'button', onclick: end('no'), autofocus: true }, 'No'),
        h('button', { type: 'button', class: 'main danger', onclick: end('yes') }, yes),
      ),
    ]);
    dialog.returnValue = 'no';
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
    dialog.showModal();
  });
}
