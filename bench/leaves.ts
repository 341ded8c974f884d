// What a leaf costs in memory: thousands of them on a real servent process, each from an address of its own, each with a table.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { dirname, extname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Crowd } from './leaves/crowd.ts';
import { ServentProcess } from './process/servent.ts';

export const about =
  'resident memory a leaf with a table of 65,536 slots: 1,000 and 5,000 plain, 1,000 deflated both ways';

/** V8 takes ten to thirty seconds to give back the room that a thousand handshakes took; a servent's leaves stay for hours. */
const SETTLE_MS = 45_000;

export async function run(): Promise<Record<string, unknown>> {
  return {
    plain: await measured(1000, false),
    deflated: await measured(1000, true),
    crowded: await measured(5000, false),
  };
}

async function measured(count: number, deflate: boolean): Promise<Record<string, unknown>> {
  const servent = await ServentProcess.start(['--max-leaves', '10000']);
  const self = fileURLToPath(import.meta.url);
  const crowd = fork(join(dirname(self), 'leaves', `crowd${extname(self)}`), { execArgv: process.execArgv });
  try {
    await wait(2000); // what the start left behind
    const before = servent.rssKiB;
    const answered = once(crowd, 'message');
    crowd.send({ port: servent.port, count, deflate } satisfies Crowd);
    const [answer] = (await answered) as [{ open?: number; error?: string }];
    if (answer.open !== count) throw new Error(`not all leaves got in: ${JSON.stringify(answer)}`);
    let lost = 0;
    crowd.on('message', () => lost++);
    await wait(1000);
    const opened = servent.rssKiB;
    await wait(SETTLE_MS);
    const settled = servent.rssKiB;
    const perLeaf = (rssKiB: number) => Number(((rssKiB - before) / count).toFixed(1));
    return {
      leaves: count,
      deflate,
      lost,
      rssKiBBefore: before,
      rssKiBOpened: opened,
      rssKiBSettled: settled,
      kiBPerLeafOpened: perLeaf(opened),
      kiBPerLeaf: perLeaf(settled),
    };
  } finally {
    crowd.kill();
    await servent.stop();
  }
}
