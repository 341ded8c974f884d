// The value of X-Features in transfers: what we can do, each only if it is true at the time.
import { isIpv6 } from '../wire/endpoint.ts';
import type { TransferIdentity } from './transfer-identity.ts';

/** `queue`: level of queueing, such as `0.1`. */
export function transferFeatures(identity: TransferIdentity, browsable: boolean, queue: string, now: number): string {
  const features = browsable ? ['browse/1.0', `queue/${queue}`] : [`queue/${queue}`];
  // we reach firewalled servents by push, to which nobody can answer who is firewalled too
  if (!identity.firewalled(now)) features.push('fwalt/0.1');
  if (identity.tls) features.push('tls/1.0');
  if (isIpv6(identity.listen().host)) features.push('IP/6.4');
  else if (identity.ipv6() !== null) features.push('IP/6.0');
  return features.join(', ');
}
