// Rows of the table of endpoints: how others get to this servent.
import { API, get } from '../endpoint.ts';
import { nat } from '../schemas/nat.ts';

export const natEndpoints = {
  nat: get(`${API}/nat`, {
    tag: 'service',
    doc: 'How others get to this servent: what the router forwards, the port that a VPN forwards, the interface and the proxy of its traffic. `reachability` of `GET /status` says whether they do.',
    output: nat,
  }),
} as const;
