// Resolves host names and checks the addresses before use: a name from a peer may resolve to a machine of the local network.

import { type LookupAddress, promises } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { CodedError } from '../../protocol/errors.ts';
import { canonicalHost, type Endpoint } from '../../protocol/wire/endpoint.ts';

export interface NamePolicy {
  /** Whether names may be asked for: the question itself leaves the machine. Without it there is `localhost` alone. */
  readonly resolvesNames: boolean;
  /** Why an address must not be used, or null. */
  forbids: (address: string) => string | null;
  /** Source address of the question, such as that of a VPN; null or absent: the system asks. */
  readonly from?: string | null;
}

class LookupError extends CodedError<'LOOKUP_FORBIDDEN'> {}

const ASK_MS = 5_000;

/** Answered without a DNS query (RFC 6761). */
const LOCALHOST: LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/** Those that may be used, one at least. Rejects with an error that says why there is none. */
export async function addressesOf(
  name: string,
  { resolvesNames, forbids, from }: NamePolicy,
): Promise<LookupAddress[]> {
  const local = name.toLowerCase() === 'localhost';
  if (!local && !resolvesNames)
    throw new LookupError(
      'LOOKUP_FORBIDDEN',
      `${name}: names are not looked up in the profile local: give an address, or localhost`,
    );
  const found = local ? LOCALHOST : await askedFor(name, from ?? null);
  const why = found.map(({ address }) => forbids(canonicalHost(address) ?? address));
  const allowed = found.filter((_, at) => why[at] === null);
  if (allowed.length === 0) throw new LookupError('LOOKUP_FORBIDDEN', `${name}: ${why[0] ?? 'no address'}`);
  return allowed;
}

/** The name servers of the system are asked from the address `from`, so that the question takes the same way as the connection. */
async function askedFor(name: string, from: string | null): Promise<LookupAddress[]> {
  if (from === null) return promises.lookup(name, { all: true });
  const resolver = new promises.Resolver({ timeout: ASK_MS, tries: 2 });
  if (from.includes(':')) resolver.setLocalAddress('0.0.0.0', from);
  else resolver.setLocalAddress(from);
  return (await resolver.resolve4(name)).map(address => ({ address, family: 4 }));
}

/** Resolves HOST:PORT to an endpoint, or to an error sentence. Never rejects. */
export async function resolveAddress(
  address: string,
  resolvesNames: boolean,
  forbids: (endpoint: Endpoint) => string | null = () => null,
  from: string | null = null,
): Promise<Endpoint | string> {
  const colon = address.lastIndexOf(':');
  const name = address.slice(0, colon).replace(/^\[|\]$/g, '');
  const port = Number(address.slice(colon + 1));
  const host = canonicalHost(name);
  if (host !== null) return { host, port };
  try {
    const [first] = await addressesOf(name, { resolvesNames, from, forbids: found => forbids({ host: found, port }) });
    const found = first?.address ?? name;
    return { host: canonicalHost(found) ?? found, port };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The same as the `lookup` option of sockets. */
export function lookupWithin(policy: NamePolicy): LookupFunction {
  return (name, options, done) => {
    addressesOf(name, policy).then(
      allowed => {
        const [first] = allowed;
        if (options.all === true || first === undefined) done(null, allowed);
        else done(null, first.address, first.family);
      },
      (error: Error) => done(error, '', 0),
    );
  };
}
