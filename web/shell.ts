// Draws the whole page: navigation, warnings, the view, notices.
import { formatDuration, formatRate } from '../api/format.ts';
import type { Actions } from './actions.ts';
import { button, chip, iconButton } from './controls.ts';
import { icon } from './icons.ts';
import { hashOf, type Model, VIEWS, type View } from './model.ts';
import { type Child, h, type Sketch } from './sketch.ts';
import { downloadsView } from './views/downloads.ts';
import { libraryView } from './views/library.ts';
import { measureView } from './views/measure.ts';
import { peersView } from './views/peers.ts';
import { queriesView } from './views/queries.ts';
import { searchesView } from './views/searches.ts';
import { sentence, statusView } from './views/status.ts';
import { uploadsView } from './views/uploads.ts';

const DRAW: Readonly<Record<View, (model: Model, act: Actions, now: number) => Child[]>> = {
  status: statusView,
  peers: peersView,
  queries: queriesView,
  searches: searchesView,
  downloads: downloadsView,
  uploads: uploadsView,
  library: libraryView,
  measure: measureView,
};

export const TITLES: Readonly<Record<View, string>> = {
  status: 'Status',
  peers: 'Peers',
  queries: 'Queries',
  searches: 'Search',
  downloads: 'Downloads',
  uploads: 'Uploads',
  library: 'Library',
  measure: 'Measure',
};

export interface ShellActions extends Actions {
  tryNow(): void;
  signOut(): void;
  dismiss(id: number): void;
}

/** `now` in milliseconds since 1970. */
export function shell(model: Model, act: ShellActions, now: number): Child[] {
  const { view } = model;
  return [
    h('a', { class: 'skip', href: `${hashOf(model)}`, onclick: skip }, 'Skip to the content'),
    header(model, act),
    navigation(model),
    h(
      'main',
      { id: 'main', tabindex: -1, class: `view-${view}` },
      lost(model, act, now),
      h('h1', {}, TITLES[view]),
      h('div', { class: 'view', key: view }, DRAW[view](model, act, now)),
    ),
    notices(model, act),
  ];
}

/** Moves the focus by script, as a link to a fragment would change the view. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function header({ link, status, scopes }: Model, act: ShellActions): Sketch {
  const state =
    link.kind === 'live'
      ? chip('good', 'live')
      : link.kind === 'lost'
        ? chip('bad', 'lost')
        : chip('wait', 'connecting');
  return h(
    'header',
    {},
    h('span', { class: 'brand' }, h('img', { src: 'web/icon.svg', alt: '', width: 24, height: 24 }), 'servent'),
    state,
    scopes.length > 0 && !scopes.some(scope => scope !== 'read') ? chip('quiet', 'read only') : null,
    h(
      'span',
      { class: 'glance' },
      status === null
        ? null
        : [
            h('span', {}, '↓ ', formatRate(status.downloads.rate)),
            h('span', {}, '↑ ', formatRate(status.uploads.rate)),
          ],
    ),
    iconButton('leave', 'Sign out', act.signOut, { class: 'bare leave' }),
  );
}

function navigation(model: Model): Sketch {
  const badges = badgesOf(model);
  return h(
    'nav',
    { class: 'views', 'aria-label': 'Views' },
    h(
      'ul',
      {},
      VIEWS.map(view =>
        h(
          'li',
          {},
          h(
            'a',
            { href: hashOf({ view, search: null }), 'aria-current': view === model.view ? 'page' : null },
            icon(view),
            h('span', {}, TITLES[view]),
            badges[view] ? h('span', { class: 'badge' }, String(badges[view])) : null,
          ),
        ),
      ),
    ),
    foot(model),
  );
}

function badgesOf({ status, queries }: Model): Partial<Record<View, number>> {
  if (status === null) return {};
  return {
    peers: status.peers.leaves + status.peers.ultrapeers,
    searches: status.searches,
    downloads: status.downloads.active + status.downloads.queued,
    uploads: status.uploads.active + status.uploads.queued,
    queries: queries.held.length,
  };
}

function foot({ status }: Model): Sketch | null {
  if (status === null) return null;
  return h(
    'p',
    { class: 'foot' },
    h('b', {}, status.mode === 'ultrapeer' ? 'Ultrapeer' : 'Leaf'),
    ` up for ${formatDuration(status.uptime)}`,
    h('br'),
    `servent ${status.version}, ${status.profile}`,
  );
}

function lost({ link }: Model, act: ShellActions, now: number): Sketch | null {
  if (link.kind !== 'lost') return null;
  const seconds = Math.max(0, Math.ceil((link.retryAt - now) / 1000));
  return h(
    'div',
    { class: 'lost', key: 'lost' },
    // The alert has no countdown, so that screen readers read it once.
    h('p', { role: 'alert' }, h('b', {}, sentence(link.why)), ' The data shown may be outdated.'),
    h('span', {}, seconds > 0 ? `Next attempt in ${seconds} s.` : 'Reconnecting …'),
    button('Try now', act.tryNow, { class: 'small' }),
  );
}

function notices({ notices: list }: Model, act: ShellActions): Sketch {
  return h(
    'div',
    { class: 'notices', role: 'status', 'aria-live': 'polite' },
    list.map(({ id, kind, text }) =>
      h(
        'div',
        { class: `notice ${kind}`, key: String(id) },
        icon(kind === 'done' ? 'yes' : 'no'),
        h('span', {}, text),
        iconButton('cancel', 'Dismiss', () => act.dismiss(id)),
      ),
    ),
  );
}

/** Form for the token. */
export function signIn(fault: string | null, busy: boolean, onToken: (token: string) => void): Child[] {
  return [
    h(
      'main',
      { id: 'main', class: 'sign-in', tabindex: -1 },
      h('img', { src: 'web/icon.svg', alt: '', width: 56, height: 56 }),
      h('h1', {}, 'servent'),
      h(
        'form',
        {
          onsubmit: event => {
            event.preventDefault();
            const field = (event.currentTarget as HTMLFormElement).elements.namedItem('token') as HTMLInputElement;
            onToken(field.value.trim());
          },
        },
        h('label', { for: 'token' }, 'API token'),
        h('input', {
          id: 'token',
          name: 'token',
          type: 'password',
          required: true,
          autocomplete: 'current-password',
          autofocus: true,
          spellcheck: 'false',
          maxlength: 512,
          'aria-describedby': 'where',
          'aria-invalid': fault === null ? null : 'true',
        }),
        fault === null ? null : h('p', { class: 'fault', role: 'alert' }, fault),
        h(
          'button',
          { type: 'submit', class: 'main', disabled: busy },
          icon('key'),
          h('span', {}, busy ? 'Signing in …' : 'Sign in'),
        ),
        h(
          'p',
          { id: 'where', class: 'more' },
          'The command ',
          h('code', {}, 'servent web'),
          ' prints the file of the token. The token is kept until you close this tab or sign out.',
        ),
      ),
    ),
  ];
}
