// A process that records queries until it is killed, and says how many of this run are on the disk.

import { silentLog } from '../../daemon/log.ts';
import { Recorder } from '../../daemon/recording/recorder.ts';
import { SystemClock } from '../../daemon/system.ts';
import { Type } from '../../protocol/constants.ts';
import type { Link } from '../../protocol/overlay/links/link.ts';
import { Frame } from '../../protocol/wire/frame-reader.ts';
import { encodeDescriptor } from '../../protocol/wire/header.ts';
import { encodeQuery } from '../../protocol/wire/query.ts';

const [folder = '', name = ''] = process.argv.slice(2);
const clock = new SystemClock();
const recorder = new Recorder({
  ...{
    mode: 'files',
    folder,
    url: '',
    bytesMax: 1e9,
    guid: Buffer.alloc(16, 7),
    privacy: 'full',
    clock,
    log: silentLog,
  },
  ...{ segmentBytes: 20_000, segmentMs: 200 },
});
recorder.start();
const link = { id: 1 } as Link;
let made = 0;
let said = 0;
const timer = setInterval(() => {
  for (let n = 0; n < 20; n++) {
    const text = `${name} number ${++made}`;
    const frame = new Frame();
    frame.bytes = encodeDescriptor(Buffer.alloc(16, 1), Type.Query, 3, 1, encodeQuery({ text }));
    frame.end = frame.bytes.length;
    recorder.query(link, frame, 0, clock.wallTime());
  }
  recorder.flush();
  const written = recorder.counts.rows.queries ?? 0;
  if (written > said) process.stdout.write(`${written}\n`);
  said = written;
}, 10);
process.on('disconnect', () => clearInterval(timer));
