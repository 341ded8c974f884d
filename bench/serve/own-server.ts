// Our file server with one file, on a port of its own.
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { silentLog } from '../../daemon/log.ts';
import { Bandwidth } from '../../daemon/net/bandwidth.ts';
import { SystemClock, SystemRandom } from '../../daemon/system.ts';
import { FileServer } from '../../daemon/transfer/file-server.ts';
import { NETWORK_RULES } from '../../protocol/network-rules.ts';
import type { SharedFile } from '../../protocol/search/shared-file.ts';
import { Mesh } from '../../protocol/transfer/mesh/mesh.ts';
import { UploadQueue } from '../../protocol/transfer/uploads/upload-queue.ts';

/** Serves `path` as /get/1/file.bin to at most 16 at a time. */
export async function startOwnServer(
  path: string,
  bandwidth = new Bandwidth(),
): Promise<{ port: number; stop(): Promise<void> }> {
  const file: SharedFile = {
    index: 1,
    name: 'file.bin',
    size: statSync(path).size,
    sha1: Buffer.alloc(20),
    tigerRoot: null,
    modifiedAt: statSync(path).mtimeMs,
  };
  const server = new FileServer({
    files: {
      byIndex: index => (index === 1 ? file : null),
      bySha1: () => null,
      byTigerRoot: () => null,
      treeOf: async () => null,
      open: () => open(path),
    },
    queue: new UploadQueue({ slots: 16, slotsPerAddress: 0, queue: 0 }, { random: new SystemRandom() }),
    identity: {
      userAgent: 'servent-bench',
      serventGuid: Buffer.alloc(16),
      vendor: 'TEST',
      speedKbps: 0,
      tls: false,
      firewalled: () => true,
      listen: () => ({ host: '127.0.0.1', port: 1 }),
      ipv6: () => null,
      pushProxies: () => [],
    },
    mesh: new Mesh({ role: () => 'leaf', rules: NETWORK_RULES.local, reach: { forbids: () => null } }),
    clock: new SystemClock(),
    log: silentLog,
    bandwidth,
  });
  const listener = createServer({ noDelay: true }, socket => server.handle(socket, Buffer.alloc(0)));
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    stop: async () => {
      listener.close();
      await server.stop();
    },
  };
}
