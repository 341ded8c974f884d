// Real files in a temporary folder, served as the library would: by index and hash, and only while they are what was hashed.
import { statSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { silentLog } from '../../daemon/log.ts';
import { SystemClock, SystemRandom } from '../../daemon/system.ts';
import { FileServer, type FileServerOptions } from '../../daemon/transfer/file-server.ts';
import type { ServableFiles } from '../../daemon/transfer/upload-session.ts';
import { ContentHasher, treeOf } from '../../protocol/digest/content-digest.ts';
import type { TigerTree } from '../../protocol/digest/tiger-tree.ts';
import type { SharedFile } from '../../protocol/search/shared-file.ts';
import { Mesh } from '../../protocol/transfer/mesh/mesh.ts';
import type { TransferIdentity } from '../../protocol/transfer/transfer-identity.ts';
import type { UploadLimits } from '../../protocol/transfer/uploads/queue/upload-limits.ts';
import { UploadQueue } from '../../protocol/transfer/uploads/upload-queue.ts';

export const testIdentity: TransferIdentity = {
  userAgent: 'servent-test/1.0',
  serventGuid: Buffer.alloc(16, 0xab),
  vendor: 'TEST',
  speedKbps: 1000,
  tls: false,
  firewalled: () => false,
  listen: () => ({ host: '127.0.0.1', port: 6346 }),
  ipv6: () => null,
  pushProxies: () => [],
};

/** A mesh that believes every address, one servent each. */
export function testMesh(): Mesh {
  const reaches = ['loopback', 'private', 'public', 'unusable'] as const;
  return new Mesh({ role: () => 'leaf', rules: { reaches, sharedAddress: false }, reach: { forbids: () => null } });
}

/** Bytes that tell where they are from: the same for a seed, no two windows alike. */
export function testBytes(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let at = 0; at < length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state & 0xff;
  }
  return bytes;
}

export class SharedFiles implements ServableFiles {
  readonly folder: string;
  readonly files: SharedFile[] = [];
  uploads = 0;
  /** By index; a test may take one away. */
  readonly trees = new Map<number, TigerTree>();

  constructor(folder: string) {
    this.folder = folder;
  }

  add(name: string, content: Buffer): SharedFile {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    const digest = new ContentHasher().update(content).finish();
    const file = {
      index: this.files.length + 1,
      name,
      size: content.length,
      sha1: Buffer.from(digest.sha1),
      tigerRoot: Buffer.from(digest.tigerRoot),
      modifiedAt: statSync(path).mtimeMs,
    };
    this.files.push(file);
    const tree = treeOf(digest, content.length);
    if (tree !== null) this.trees.set(file.index, tree);
    return file;
  }

  pathOf(file: SharedFile): string {
    return join(this.folder, file.name);
  }

  byIndex(index: number): SharedFile | null {
    return this.files.find(file => file.index === index) ?? null;
  }

  bySha1(sha1: Buffer): SharedFile | null {
    return this.files.find(file => file.sha1.equals(sha1)) ?? null;
  }

  byTigerRoot(root: Buffer): SharedFile | null {
    return this.files.find(({ tigerRoot }) => tigerRoot?.equals(root) === true) ?? null;
  }

  async treeOf({ index }: SharedFile): Promise<TigerTree | null> {
    return this.trees.get(index) ?? null;
  }

  countUpload(): void {
    this.uploads++;
  }

  async open(file: SharedFile): Promise<FileHandle | null> {
    let handle: FileHandle;
    try {
      handle = await open(this.pathOf(file));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
    const stats = await handle.stat();
    if (stats.size === file.size && stats.mtimeMs === file.modifiedAt) return handle;
    await handle.close();
    return null;
  }
}

/** A file server on a port of its own; stopped when the test ends. */
export async function serve(
  t: Test,
  files: ServableFiles,
  options: Partial<FileServerOptions> & { limits?: UploadLimits } = {},
): Promise<{ server: FileServer; port: number; queue: UploadQueue }> {
  const { limits = { slots: 10, slotsPerAddress: 0, queue: 5 }, ...rest } = options;
  const queue = new UploadQueue(limits, { random: new SystemRandom() });
  const server = new FileServer({
    files,
    queue,
    identity: testIdentity,
    mesh: testMesh(),
    clock: new SystemClock(),
    log: silentLog,
    ...rest,
  });
  const listener = createServer({ noDelay: true }, socket => server.handle(socket, Buffer.alloc(0)));
  await new Promise<void>(listening => listener.listen(0, '127.0.0.1', listening));
  t.teardown(async () => {
    listener.close();
    await server.stop();
  });
  return { server, queue, port: (listener.address() as AddressInfo).port };
}
