// QRP tables as peers send and get them, and an ultrapeer with leaves that have sent theirs.
import { Type } from '../../protocol/constants.ts';
import type { OverlayLimits } from '../../protocol/overlay/limits.ts';
import { LOCAL_OVERLAY_LIMITS } from '../../protocol/overlay/limits.ts';
import { queryHashes } from '../../protocol/qrp/hash.ts';
import { encodeTable, TableReceiver } from '../../protocol/qrp/patch.ts';
import { QrpTable } from '../../protocol/qrp/table.ts';
import { encodeDescriptor } from '../../protocol/wire/header.ts';
import { encodeRouteTableUpdate, parseRouteTableUpdate } from '../../protocol/wire/route-table-update.ts';
import { random } from './descriptors.ts';
import { type Puppet, VirtualNetwork } from './virtual-network.ts';

/** Real query routing, with the short waits of a lab. */
export const LIMITS: Partial<OverlayLimits> = { flooding: false, ...LOCAL_OVERLAY_LIMITS };

/** A RESET and PATCHes, or PATCHes alone from `before`, as a peer would send them. */
export function tableFrames(words: readonly string[], before: QrpTable | null = null): Buffer[] {
  return encodeTable(before, QrpTable.of(words)).map(update =>
    encodeDescriptor(random.guid(), Type.Qrp, 1, 0, encodeRouteTableUpdate(update)),
  );
}

export function vendor(payload: Buffer, guid: Buffer = Buffer.alloc(16)): Buffer {
  return encodeDescriptor(guid, Type.Vendor, 1, 0, payload);
}

/** An ultrapeer with a leaf for each list of words; null sends no table. */
export function ultrapeerWith(...tables: (readonly string[] | null)[]) {
  const network = new VirtualNetwork();
  const servent = network.add('up', { limits: LIMITS });
  const leaves = tables.map(words => {
    const leaf = network.puppet(servent, 'leaf');
    if (words !== null) leaf.send(...tableFrames(words));
    return leaf;
  });
  network.settle();
  return { network, servent, leaves, queriesOf: (): number[] => leaves.map(leaf => leaf.ofType(Type.Query).length) };
}

/** The table that a peer of ours has been sent. */
export function tableOf(peer: Puppet): QrpTable | null {
  const receiver = new TableReceiver();
  for (const { payload } of peer.ofType(Type.Qrp)) receiver.receive(parseRouteTableUpdate(payload));
  return receiver.whole ? receiver.table : null;
}

export const finds = (table: QrpTable | null, text: string): boolean => table?.mayMatch(queryHashes(text, [])) ?? false;
