// Rows of the table of endpoints: webhooks and commands that are told of events.
import { API, change, get, listOf } from '../endpoint.ts';
import { byId } from '../schemas/common.ts';
import * as hooks from '../schemas/hooks.ts';

export const hookEndpoints = {
  hooks: get(`${API}/hooks`, {
    tag: 'events',
    doc: 'Webhooks and commands with their position in the event log.',
    ...listOf(hooks.hook),
  }),
  deliveries: get(`${API}/hooks/:id/deliveries`, {
    tag: 'events',
    doc: 'The latest deliveries of a hook, newest first.',
    params: byId,
    ...listOf(hooks.delivery),
    problems: ['NOT_FOUND'],
  }),
  replay: change(`${API}/hooks/:id/replay`, {
    method: 'POST',
    tag: 'events',
    doc: 'Delivers kept events again.',
    params: byId,
    body: hooks.replay,
    output: hooks.hook,
    problems: ['NOT_FOUND'],
  }),
} as const;
