// Sources of a download as locations of the mesh, and the other way round.
import type { AltLocation } from '../mesh/alt-locations.ts';
import { isFirewalled, type MeshLocation } from '../mesh/file-locations.ts';
import { PLAIN_SOURCE, type Source } from './source.ts';

/** Null for one that others cannot use: a web address, or a firewalled servent without push proxies. */
export function locationOf({ endpoint, push, serventGuid, pushProxies = [], target }: Source): MeshLocation | null {
  if (target !== null) return null;
  if (!push) return { host: endpoint.host, port: endpoint.port, tls: false };
  if (serventGuid === null || pushProxies.length === 0) return null;
  return { serventGuid, fwt: null, address: null, pushProxies: pushProxies.map(plain) };
}

/** Null for a firewalled servent to which no way is known. */
export function sourceAt(location: MeshLocation): Source | null {
  if (!isFirewalled(location)) return { ...PLAIN_SOURCE, endpoint: { host: location.host, port: location.port } };
  const { serventGuid, address, pushProxies } = location;
  const [first] = pushProxies;
  if (first === undefined) return null;
  const { host, port } = address ?? first;
  return { ...PLAIN_SOURCE, endpoint: { host, port }, serventGuid, push: true, pushProxies };
}

const plain = ({ host, port }: { host: string; port: number }): AltLocation => ({ host, port, tls: false });
