// The thread that writes a recording: rows come in, replies go out. The overlay waits for none of it.
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { Database } from './database.ts';
import { Deliveries } from './deliveries.ts';
import type { RecordingReply, RecordingRequest, RecordingWorkerData } from './recording-messages.ts';
import { RecordingWriter } from './recording-writer.ts';

const NICENESS = 5;
/** Between two looks at the age of segments. */
const TIDY_MS = 1_000;

// On Linux this sets the priority of this thread only: the overlay comes first.
if (process.platform === 'linux') setPriority(NICENESS);

const given = workerData as RecordingWorkerData;
const port = parentPort;
if (port === null) throw new Error('started by the recorder only');

const say = (reply: RecordingReply): void => port.postMessage(reply);
const writer = new RecordingWriter(given, say);
const timer = setInterval(() => writer.tidy(performance.now()), TIDY_MS);

function take(request: RecordingRequest): void {
  switch (request.kind) {
    case 'rows': {
      const { buffer, byteOffset, byteLength } = request.bytes;
      writer.write(Buffer.from(buffer, byteOffset, byteLength), performance.now());
      say({ kind: 'written', bytes: byteLength, counts: writer.counts });
      return;
    }
    case 'list':
      say({ kind: 'segments', id: request.id, segments: writer.folder.list() });
      return;
    case 'bound':
      writer.folder.bytesMax = request.bytesMax;
      writer.tidy(performance.now());
      return;
    case 'hash':
      writer.useSalt(request.salt);
      return;
    case 'stop':
      void stop();
      return;
  }
}

async function stop(): Promise<void> {
  clearInterval(timer);
  writer.stop();
  await deliveries?.stop();
  say({ kind: 'stopped', counts: writer.counts });
  port?.close();
}

await writer.start();
const { url, segmentMs, run } = given;
const deliveries =
  url === null ? null : new Deliveries({ writer, database: await Database.at(url), segmentMs, run, say });
deliveries?.start();
port.on('message', take);
