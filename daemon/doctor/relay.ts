// Says whether an ultrapeer that is to relay for its leaves can do so, and what it has passed on. Pure.
import type { Finding } from '../../api/control.ts';
import { counted, formatBytes } from '../../api/format.ts';
import type { RelayDesk } from '../../protocol/relay/relay-desk.ts';

/** Null: it is not wanted. */
export function checkRelay(wanted: boolean, able: boolean, desk: Pick<RelayDesk, 'pairs' | 'bytes'>): Finding | null {
  if (!wanted) return null;
  if (able) {
    const detail = `bytes pass between ${counted(desk.pairs, 'pair')} of servents; ${formatBytes(desk.bytes)} since the start`;
    return { name: 'relay', state: 'ok', detail, mend: null };
  }
  return {
    name: 'relay',
    state: 'warning',
    detail: 'nat.relay is on, but this servent is no ultrapeer that others can connect to',
    mend: 'open the port in the firewall or router and wait until it is an ultrapeer, or turn nat.relay off',
  };
}
