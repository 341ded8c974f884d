// Names to addresses, checked before anything is sent there: a name of a stranger may stand for any machine of ours.
import { lookup, promises } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { canonicalHost } from '../../protocol/wire/endpoint.ts';

class LookupError extends Error {
  readonly code = 'LOOKUP_FORBIDDEN';
}

/** For sockets: gives only addresses that `forbids` lets pass, fails when there is none. */
export function lookupWithin(forbids: (address: string) => string | null): LookupFunction {
  return (name, options, done) => {
    lookup(name, { ...options, all: true }, (error, found) => {
      if (error !== null) {
        done(error, '', 0);
        return;
      }
      const allowed = found.filter(({ address }) => forbids(canonicalHost(address) ?? address) === null);
      const [first] = allowed;
      if (first === undefined) {
        const why = found.map(({ address }) => forbids(canonicalHost(address) ?? address))[0] ?? 'no address';
        done(new LookupError(`${name}: ${why}`), '', 0);
      } else if (options.all === true) done(null, allowed);
      else done(null, first.address, first.family);
    });
  };
}

/** The first such address of a name, or null. Never rejects. */
export async function resolveWithin(name: string, forbids: (address: string) => string | null): Promise<string | null> {
  const found = await promises.lookup(name, { all: true }).catch(() => []); // the caller says that there was none
  const hosts = found.map(({ address }) => canonicalHost(address) ?? address);
  return hosts.find(host => forbids(host) === null) ?? null;
}
