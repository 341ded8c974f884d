// Schema of how others get to this servent: router, VPN, interface, proxy.
import { z } from 'zod';
import { address, bytes, count, port, time } from './common.ts';

const lease = z.object({
  internal: port.describe('our own'),
  external: port.describe("the router's, which others are told"),
  until: time.describe('it is renewed before'),
});

export const nat = z.object({
  state: z
    .enum(['off', 'asking', 'mapped', 'unmapped'])
    .describe(
      'what came of `nat.mapping`; `asking`: the router is asked for the first time; `mapped`: it forwards at least one port; `unmapped`: it does not, see `trouble`',
    ),
  method: z.enum(['pcp', 'nat-pmp', 'upnp']).nullable().describe('by which the router agreed; null: it did not'),
  router: z.string().nullable().describe('address of the router that is asked; null: none'),
  external: z.string().nullable().describe("the router's address outside, as it says; null: not known"),
  tcp: lease.nullable(),
  udp: lease.nullable(),
  trouble: z.string().nullable().describe('what is wrong with the mapping, in words; null: nothing'),
  againAt: time.nullable().describe('when the router is asked again; null: nothing is waited for'),
  announced: address.describe('where others are told to connect'),
  portFile: z
    .object({
      path: z.string(),
      port: port.nullable().describe('that it named last; null: none yet'),
      trouble: z.string().nullable(),
    })
    .nullable()
    .describe('the file of `nat.portFile`; null: none'),
  interface: z
    .object({ name: z.string(), address: z.string().nullable().describe('null: it is away, and nothing is sent') })
    .nullable()
    .describe('of `gnutella.interface`; null: traffic is bound to none'),
  proxy: z
    .object({
      address: z.string().describe('without user and password'),
      isolated: z.boolean().describe('each address has a user name of its own'),
      off: z.array(z.string()).describe('what no proxy carries'),
      trouble: z.string().nullable(),
    })
    .nullable()
    .describe('of `proxy.socks`; null: none'),
  relay: z
    .object({
      able: z.boolean().describe('it relays: it is an ultrapeer that others can connect to'),
      pairs: count.describe('of servents between which bytes pass'),
      bytes: bytes.describe('passed on since the start, of all pairs'),
    })
    .nullable()
    .describe('what `nat.relay` does for leaves of ours; null: it is off'),
});
