// What the servents of a virtual network upload: shared files, parts of downloads under way, and what liars send in their place.
import type { TigerTree } from '../../protocol/digest/tiger-tree.ts';
import type { SharedFile } from '../../protocol/search/shared-file.ts';
import type { Servent } from '../../protocol/servent.ts';
import type { ByteRange } from '../../protocol/transfer/range-set.ts';
import { isPartial, type PartialFile } from '../../protocol/transfer/uploads/partial-file.ts';
import { UploadAnswerer } from '../../protocol/transfer/uploads/upload-answerer.ts';
import type { FileContent } from '../transfer/file-content.ts';
import type { Host } from './medium.ts';

/** Liars change one byte of so many. */
const LIE_BYTES = 16 << 10;

export interface UploadsOptions {
  /** By name; null: it is a name only. */
  readonly contentOf: (name: string) => FileContent | null;
  readonly lies: (host: Host) => boolean;
  /** A download of the host, and its bytes so far; null: none whose bytes are certain. */
  readonly partOf: (host: Host, sha1: Buffer) => { readonly file: PartialFile; readonly bytes: Buffer } | null;
}

export class Uploads {
  readonly #options: UploadsOptions;
  readonly #answerers = new WeakMap<Servent, UploadAnswerer>();

  constructor(options: UploadsOptions) {
    this.#options = options;
  }

  of(host: Host): UploadAnswerer {
    const { library, servent } = host;
    const known = this.#answerers.get(servent);
    if (known !== undefined) return known;
    const answerer = new UploadAnswerer({
      ...{ files: library, queue: servent.uploads, identity: servent.identity, mesh: servent.mesh },
      partials: { partialOf: sha1 => this.#options.partOf(host, sha1)?.file ?? null },
    });
    this.#answerers.set(servent, answerer);
    return answerer;
  }

  treeOf({ name }: SharedFile): TigerTree | null {
    return this.#options.contentOf(name)?.tree ?? null;
  }

  /** What the host sends for these bytes of the file. */
  bytesOf(host: Host, file: SharedFile, { start, end }: ByteRange): Buffer {
    if (isPartial(file)) {
      const part = this.#options.partOf(host, file.sha1);
      return Buffer.from(part?.bytes.subarray(start, end) ?? Buffer.alloc(end - start));
    }
    const content = this.#options.contentOf(file.name);
    if (content === null) return Buffer.alloc(end - start);
    const bytes = content.bytes.subarray(start, end);
    return this.#options.lies(host) ? liesIn(bytes, start) : bytes;
  }
}

function liesIn(bytes: Buffer, start: number): Buffer {
  const wrong = Buffer.from(bytes);
  for (let at = Math.ceil(start / LIE_BYTES) * LIE_BYTES - start; at < wrong.length; at += LIE_BYTES)
    wrong[at] = (wrong[at] ?? 0) ^ 0xff;
  return wrong;
}
