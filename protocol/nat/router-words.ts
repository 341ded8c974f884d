// Says in plain words what the error codes and addresses of routers mean.
import { type Reach, reachOf } from '../wire/endpoint.ts';

export type MappingMethod = 'pcp' | 'nat-pmp' | 'upnp';

export const METHOD_NAMES: Readonly<Record<MappingMethod, string>> = { pcp: 'PCP', 'nat-pmp': 'NAT-PMP', upnp: 'UPnP' };

/** RFC 6887 §7.4. */
const PCP: Readonly<Record<number, string>> = {
  1: 'it does not speak this version',
  2: 'it is not allowed to this machine',
  3: 'it could not read the request',
  4: 'it does not know the operation',
  5: 'it does not know an option',
  6: 'it could not read an option',
  7: 'its own connection to the network does not work',
  8: 'it has no ports or memory left',
  9: 'it maps neither TCP nor UDP',
  10: 'this machine has all the ports that one may have',
  11: 'it cannot give the external address or port that was asked for',
  12: 'another router lies between it and this machine',
  13: 'it has too many peers to filter',
};

/** RFC 6886 §3.5. */
const NAT_PMP: Readonly<Record<number, string>> = {
  1: 'it does not speak this version',
  2: 'mapping is switched off, or not allowed to this machine',
  3: 'its own connection to the network does not work',
  4: 'it has no ports left',
  5: 'it does not know the operation',
};

/** WANIPConnection:1 and 2, and those of UPnP itself. */
const UPNP: Readonly<Record<number, string>> = {
  401: 'it does not know the action',
  402: 'it could not read the request',
  501: 'it failed',
  600: 'it could not read a value',
  606: 'it is not allowed to this machine',
  714: 'it has no such mapping',
  715: 'it wants the address of the other side to be given',
  716: 'it wants a port to be given',
  718: 'another machine has this port',
  724: 'it wants the same port inside and outside',
  725: 'it gives permanent mappings only',
  726: 'it wants no address of the other side',
  727: 'it wants no external port',
  728: 'it has no ports left',
  729: 'the port is in use by the router itself',
  732: 'it wants no wildcard for the internal port',
};

const WORDS: Readonly<Record<MappingMethod, Readonly<Record<number, string>>>> = {
  pcp: PCP,
  'nat-pmp': NAT_PMP,
  upnp: UPNP,
};

/** `the router refused by PCP: it is not allowed to this machine (2)`. `text`: the router's own words. */
export function refusalText(method: MappingMethod, code: number, text = ''): string {
  const words = WORDS[method][code] ?? (text === '' ? 'for a reason of its own' : `it says "${text}"`);
  return `the router refused by ${METHOD_NAMES[method]}: ${words} (${code})`;
}

/** What is wrong with the router's address outside; null: others can reach it. */
export function outsideTrouble(host: string, reaches: readonly Reach[]): string | null {
  const reach = reachOf(host);
  if (reaches.includes(reach)) return null;
  return reach === 'unusable'
    ? `the router has no address outside (it says ${host}): it is not connected`
    : `the router's own address, ${host}, is private: another router lies before it, which has to forward the port as well (double NAT)`;
}

/** A router's words, in one line. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
}
