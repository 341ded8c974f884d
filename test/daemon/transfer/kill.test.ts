import { type ChildProcess, fork } from 'node:child_process';
import { on, once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { DownloadStore } from '../../../daemon/store/downloads.ts';
import { Store } from '../../../daemon/store/store.ts';
import { sha1 } from '../../support/download-rig.ts';
import { drip, partial, rangeOf, ScriptedSource } from '../../support/scripted-source.ts';
import { testBytes } from '../../support/shared-files.ts';

const self = fileURLToPath(import.meta.url);
const program = join(dirname(self), '..', '..', 'support', `downloading-process${extname(self)}`);
const SIZE = 12 << 20;
const KILLS = 5;

t.setTimeout(180_000); // six processes one after another, on a busy machine

type Message = { started: number } | { completed: string };

/** The first message of that kind. */
async function messageOf<K extends 'started' | 'completed'>(
  child: ChildProcess,
  key: K,
): Promise<Extract<Message, Record<K, unknown>>> {
  for await (const [message] of on(child, 'message')) {
    if (key in (message as Message)) return message as Extract<Message, Record<K, unknown>>;
  }
  throw new Error('the process says nothing any more');
}

/** What the database says is on the disk, and what is there. */
async function claims(home: string): Promise<{ ranges: [number, number][]; part: Buffer }> {
  const store = await Store.open(join(home, 'store'), silentLog);
  const [record] = await new DownloadStore(store.table('downloads')).all(silentLog);
  await store.close();
  if (record === undefined) return { ranges: [], part: Buffer.alloc(0) };
  const path = join(home, 'downloads', '.incomplete', `${record.id}.part`);
  return { ranges: record.ranges.toPairs(), part: existsSync(path) ? readFileSync(path) : Buffer.alloc(0) };
}

t.test(
  'killed at any moment, again and again, a download claims only what it has, goes on, and verifies',
  { timeout: 180_000 },
  async t => {
    const home = t.testdir();
    const content = testBytes(SIZE);
    const hash = sha1(content).toString('hex');
    // bytes from the start of a process to its end, drawn from a seed
    const moments = Array.from(
      { length: KILLS },
      (_, i) => 300_000 + (testBytes(2, 20_261_121 + i).readUInt16LE() << 6),
    );
    let toKill: ChildProcess | null = null;
    let bytesLeft = 0;
    const source = await ScriptedSource.open(t, async asked => {
      const bytes = partial(content, rangeOf(asked, SIZE));
      await drip(asked.socket, bytes, () => {
        const piece = 32 * 1024;
        bytesLeft -= piece;
        if (bytesLeft <= 0) toKill?.kill('SIGKILL');
        return piece;
      });
      return true;
    });
    const start = (): ChildProcess =>
      fork(program, [home, String(source.source.endpoint.port), hash, String(SIZE)], { execArgv: process.execArgv });

    const resumedAt: number[] = [];
    for (const moment of moments) {
      const child = start();
      const gone = once(child, 'exit');
      toKill = child;
      bytesLeft = moment;
      resumedAt.push((await messageOf(child, 'started')).started);
      const [, signal] = await gone;
      t.equal(signal, 'SIGKILL');
      const { ranges, part } = await claims(home);
      for (const [from, to] of ranges) {
        t.ok(part.subarray(from, to).equals(content.subarray(from, to)), `what is claimed is there: ${from} to ${to}`);
      }
    }
    toKill = null;
    const last = start();
    t.teardown(() => last.kill('SIGKILL'));
    const completed = messageOf(last, 'completed');
    resumedAt.push((await messageOf(last, 'started')).started);
    const { completed: path } = await completed;
    t.ok(readFileSync(path).equals(content));
    t.strictSame(readdirSync(join(home, 'downloads')).sort(), ['.incomplete', 'killed.bin']);
    t.equal(statSync(path).size, SIZE);

    t.strictSame(
      resumedAt,
      [...resumedAt].sort((a, b) => a - b),
      'never less than before',
    );
    t.ok((resumedAt.at(-1) ?? 0) > 0, 'and it did go on from there');
    const served = source.requests.reduce((sum, { headers }) => {
      const [, from, to] = /=(\d+)-(\d+)/.exec(headers.get('Range') ?? '') ?? [];
      return sum + Number(to) + 1 - Number(from);
    }, 0);
    t.comment(
      `killed ${KILLS} times, resumed at ${resumedAt.join(', ')}; asked for ${(served / SIZE).toFixed(2)} times the file`,
    );
  },
);
