// Writes the heads of the replies on one upload connection: besides what a reply is, they say who we are, what we have of the file that is
// asked for, and who else has it.
import type { SharedFile } from '../../search/shared-file.ts';
import type { RequestHead } from '../http-head.ts';
import { MeshTalk } from '../mesh/mesh-talk.ts';
import type { TransferIdentity } from '../transfer-identity.ts';
import { Introduction } from './introduction.ts';
import { Availability, isPartial } from './partial-file.ts';
import type { UploadContext } from './upload-context.ts';
import { encodeReply, type Header } from './upload-reply.ts';

/** `now` of the call; `date`: milliseconds since 1970, for heads. */
export interface Moment {
  readonly now: number;
  readonly date: number;
}

export interface ReplyHead {
  readonly status: number;
  readonly keepAlive: boolean;
  /** Null: an answer to nothing that could be read. */
  readonly request: RequestHead | null;
  readonly headers: readonly Header[];
  /** Even to a client that takes it for granted; absent: to clients of HTTP/1.0. */
  readonly sayKeepAlive?: boolean;
  readonly reason?: string | undefined;
}

export interface ReplyHeadsParts extends Pick<UploadContext, 'identity' | 'mesh'> {
  readonly address: string;
  readonly browsable: boolean;
  /** We opened the connection, as asked by push. */
  readonly pushed: boolean;
}

export class ReplyHeads {
  readonly #identity: TransferIdentity;
  readonly #introduction: Introduction;
  readonly #talk: MeshTalk;
  readonly #availability = new Availability();
  /** The file that the present request is about. */
  #about: SharedFile | null = null;

  constructor({ identity, mesh, address, browsable, pushed }: ReplyHeadsParts) {
    this.#identity = identity;
    this.#introduction = new Introduction(identity, browsable, pushed);
    this.#talk = new MeshTalk(mesh, address, null);
  }

  /** A request has begun: it is about no file yet. */
  begin(): void {
    this.#about = null;
  }

  /** The request is about this file, and may say who else has it. */
  hear(file: SharedFile, { headers }: RequestHead, now: number): void {
    this.#about = file;
    this.#talk.hear(file.sha1, headers, !isPartial(file), now);
  }

  encode({ status, keepAlive, request, headers, sayKeepAlive, reason }: ReplyHead, { now, date }: Moment): Buffer {
    const optional = this.#introduction.headers(now);
    // a client that we refuse for good has no use for others
    const about = status < 400 || status === 416 || status === 503 ? this.#about : null;
    const partial = this.#about !== null && isPartial(this.#about) ? this.#about : null;
    const available = partial === null ? [] : this.#availability.headers(status, partial, date);
    if (about !== null) optional.push(...this.#talk.tell(about.sha1, null, now));
    const { userAgent } = this.#identity;
    return encodeReply(
      status,
      { userAgent, date, keepAlive, sayKeepAlive: sayKeepAlive ?? request?.minor === 0, optional },
      [...headers, ...available],
      reason,
    );
  }
}
