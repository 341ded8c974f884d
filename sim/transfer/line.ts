// A connection to a source of a download in virtual time, as the download sees it.
import type { ExchangeEvent } from '../../protocol/transfer/downloads/source-exchange.ts';
import type { Visit } from '../../protocol/transfer/downloads/visit.ts';

/** One of `read` and `rest` at a time: what was asked before is not answered any more. */
export interface Line {
  /** Address at the other end; null: where the source is said to be. */
  readonly remote: string | null;
  send(request: Buffer): void;
  /** The next bytes, or how the connection ended; `silence` after so long without either. */
  read(silenceMs: number, then: (event: ExchangeEvent) => void): void;
  /** `done` after so long (null: never), or before that how the connection ended. */
  rest(ms: number | null, then: (event: ExchangeEvent) => void): void;
  close(): void;
}

/** Connects to the source of a visit, in its time. Null: nobody answers. */
export type Dial = (visit: Visit, opened: (line: Line | null) => void) => void;
