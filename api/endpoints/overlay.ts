// Rows of the table of endpoints: the servent, its neighbours and the hosts that it knows.
import { API, create, get, listOf, remove } from '../endpoint.ts';
import { byId } from '../schemas/common.ts';
import * as overlay from '../schemas/overlay.ts';

export const overlayEndpoints = {
  status: get(`${API}/status`, {
    tag: 'status',
    doc: 'State of the servent: role, links, traffic, library.',
    output: overlay.status,
  }),
  peers: get(`${API}/peers`, {
    tag: 'peers',
    doc: 'Overlay connections.',
    ...listOf(overlay.peer),
  }),
  connect: create(`${API}/peers`, {
    tag: 'peers',
    doc: 'Connects to a servent and answers when the handshake is done.',
    body: overlay.connect,
    output: overlay.peer,
    problems: ['CONFLICT', 'UNREACHABLE', 'REFUSED', 'TOO_MANY'],
  }),
  disconnect: remove(`${API}/peers/:id`, {
    tag: 'peers',
    doc: 'Sends a Bye and closes the link.',
    params: byId,
    problems: ['NOT_FOUND'],
  }),
  hosts: get(`${API}/hosts`, {
    tag: 'peers',
    doc: 'The host cache: addresses to connect to, best first.',
    ...listOf(overlay.host),
  }),
  addHost: create(`${API}/hosts`, {
    tag: 'peers',
    doc: 'Adds an address to the host cache.',
    body: overlay.addHost,
    output: overlay.host,
  }),
  removeHost: remove(`${API}/hosts/:id`, {
    tag: 'peers',
    doc: 'Removes an address from the host cache; its `id` is the address.',
    params: byId,
    problems: ['NOT_FOUND'],
  }),
} as const;
