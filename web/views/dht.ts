// Card of the node of the DHT: its state, its buckets as bars, and a field to look something up, with the path hop by hop.
import type { DhtLookupView, DhtView } from '../../api/control.ts';
import { counted, formatBytes, printable } from '../../api/format.ts';
import type { Actions } from '../actions.ts';
import { card, chip, facts, fieldForm, foreign, type Tone } from '../controls.ts';
import { formatCount } from '../figures.ts';
import { type Model, may } from '../model.ts';
import { h, type Sketch } from '../sketch.ts';

const VALUES_MAX = 20;

export function dhtCard(model: Model, act: Actions): Sketch | null {
  const { dht, dhtLookup } = model;
  if (dht === null) return null;
  const { mode, state, why, contacts, size, values, publishing, traffic, kuid } = dht;
  return card(
    'DHT',
    { key: 'dht', class: 'dht' },
    h(
      'p',
      { class: 'big' },
      mode === 'off' ? 'Off' : state === 'ready' ? 'Joined' : 'Looking for nodes',
      chip(TONE[mode], mode),
    ),
    why === null ? null : h('p', {}, `${printable(why)}.`),
    facts([
      ['Nodes', `${contacts.good} good, ${contacts.stale} stale, ${contacts.pending} pending`],
      ['Network', size === 0 ? null : `about ${formatCount(size)} ${size === 1 ? 'node' : 'nodes'}`],
      ['Values', `${values} kept for others, ${publishing} of ours`],
      ['Traffic', `${formatBytes(traffic.in)} in, ${formatBytes(traffic.out)} out`],
      ['KUID', h('code', {}, kuid)],
    ]),
    dht.buckets.length === 0 ? null : bars(dht),
    mode !== 'off' && may(model, 'operate')
      ? fieldForm({
          name: 'dht',
          label: 'Look up in the DHT',
          placeholder: 'URN, GUID or KUID',
          button: 'Look up',
          icon: 'searches',
          onSubmit: text => act.lookUp(text),
        })
      : null,
    dhtLookup === null ? null : found(dhtLookup),
  );
}

const TONE: Readonly<Record<DhtView['mode'], Tone>> = { off: 'quiet', passive: 'wait', active: 'good' };

/** Nodes by the bits that they share with our KUID. */
function bars({ buckets }: DhtView): Sketch {
  const most = Math.max(1, ...buckets.map(({ good }) => good));
  return h(
    'ul',
    { class: 'bars', 'aria-label': 'Buckets of the routing table' },
    buckets.map(({ bits, good, stale, pending }) =>
      h(
        'li',
        { title: `${good} good, ${stale} stale, ${pending} pending` },
        h('span', {}, counted(bits, 'common bit')),
        h('meter', { min: 0, max: most, value: good, 'aria-hidden': 'true' }),
        h('span', { class: 'number' }, String(good)),
      ),
    ),
  );
}

const SAID: Readonly<Record<DhtLookupView['state'], string>> = {
  running: 'Looking …',
  found: 'Found.',
  missing: 'Not found: the last one is the nearest node that answered.',
  failed: 'It failed.',
};

function found({ state, error, path, values, asked }: DhtLookupView): Sketch {
  return h(
    'div',
    { class: 'lookup', role: 'status' },
    h('p', {}, error === null ? SAID[state] : `${printable(error)}.`),
    path.length === 0
      ? null
      : h(
          'ol',
          {},
          path.map(({ kuid, address, ms }) =>
            h('li', {}, h('code', {}, kuid.slice(0, 10)), ' ', foreign(address), ` ${Math.round(ms)} ms`),
          ),
        ),
    values.length === 0
      ? null
      : h(
          'ul',
          {},
          values
            .slice(0, VALUES_MAX)
            .map(({ type, address, size, proxies }) =>
              h(
                'li',
                {},
                `${printable(type)} `,
                foreign(address),
                size === null ? null : ` ${formatBytes(size)}`,
                proxies.length === 0 ? null : ` by ${proxies.map(printable).join(', ')}`,
              ),
            ),
        ),
    asked === 0 ? null : h('p', { class: 'more' }, `${counted(asked, 'request')}`),
  );
}
