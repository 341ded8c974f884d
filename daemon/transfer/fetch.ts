// Runs a SourceSession on a connection: carries out its commands and returns the results to it.
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Source } from '../../protocol/transfer/downloads/source.ts';
import type { ExchangeEvent } from '../../protocol/transfer/downloads/source-exchange.ts';
import type { PlannedSource } from '../../protocol/transfer/downloads/source-plan.ts';
import {
  SourceSession,
  type SourceSessionCommand,
  type SourceSessionJob,
  type SourceSessionTimes,
} from '../../protocol/transfer/downloads/source-session.ts';
import type { TransferIdentity } from '../../protocol/transfer/transfer-identity.ts';
import type { Clock } from '../clock.ts';
import type { Bandwidth } from '../net/bandwidth.ts';
import type { PartFile } from './part-file.ts';
import { SourceConnection } from './source-connection.ts';

/** Services that fetching needs. */
export interface FetchContext {
  readonly identity: TransferIdentity;
  readonly clock: Clock;
  readonly times: SourceSessionTimes;
  readonly bandwidth: Bandwidth;
  /** Free bytes for part files; null: unknown. */
  room(): Promise<number | null>;
  /** Resolves with a connected socket; rejects with an error for the user. */
  connect(source: Source, signal: AbortSignal): Promise<Socket>;
}

/** The download for which it fetches. */
export interface FetchJob extends SourceSessionJob {
  readonly part: PartFile;
}

const DONE: ExchangeEvent = { kind: 'done' };

/** Resolves when the visit ends; its plan holds the reason. Rejects with DiskError only. */
export async function fetchFrom(
  planned: PlannedSource<Source>,
  job: FetchJob,
  { bandwidth, clock, connect, identity, room, times }: FetchContext,
  signal: AbortSignal,
): Promise<void> {
  const session = new SourceSession(planned, job, identity, times);
  let connection: SourceConnection | null = null;
  const onAbort = () => connection?.close();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const socket = await connect(planned.source, signal);
    connection = new SourceConnection(socket, times.stallMs, bandwidth.usage('download'));
    if (signal.aborted) return;
    let command = session.connected(job.size === null ? await room() : null, clock.now());
    while (command.kind !== 'close') {
      const doing = execute(command, connection, job.part, signal);
      const event: ExchangeEvent = doing instanceof Promise ? await doing : doing;
      if (signal.aborted && event.kind !== 'done') return;
      command = session.next(event, clock.now());
    }
  } catch (error) {
    if (signal.aborted) return;
    if (connection !== null) throw error;
    session.unreachable(error instanceof Error ? error.message : String(error), clock.now());
  } finally {
    signal.removeEventListener('abort', onAbort);
    connection?.close();
    session.stop();
  }
}

/** Carries out one command. Rejects with DiskError, or with AbortError when `signal` ended a wait. */
function execute(
  command: Exclude<SourceSessionCommand, { kind: 'close' }>,
  connection: SourceConnection,
  part: PartFile,
  signal: AbortSignal,
): ExchangeEvent | Promise<ExchangeEvent> {
  switch (command.kind) {
    case 'put':
      return part.put(command.offset, command.bytes)?.then(() => DONE) ?? DONE;
    case 'flush':
      return part.flush().then(() => DONE);
    case 'wait':
      connection.rest();
      return sleep(command.ms, DONE, { signal });
    default:
      return connection.execute(command);
  }
}
