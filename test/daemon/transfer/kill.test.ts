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
import { drip, honest, partial, rangeOf, ScriptedSource } from '../../support/scripted-source.ts';
import { testBytes } from '../../support/shared-files.ts';

const self = fileURLToPath(import.meta.url);
const program = join(dirname(self), '..', '..', 'support', `downloading-process${extname(self)}`);
const SIZE = 12 << 20;
const KILLS = 5;

t.setTimeout(180_000); // six processes one after another, on a busy machine

/** `saved`: so many bytes are in the record. */
type Message = { started: number } | { completed: string } | { saved: number };

/** More than the process takes in between two records. */
const BETWEEN_RECORDS = 1 << 20;

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
  'killed between the record of the placed file and the end of its part file: the next start removes that',
  async t => {
    const home = t.testdir();
    const content = testBytes(100_000);
    const source = await ScriptedSource.open(t, honest(content));
    const port = String(source.source.endpoint.port);
    const start = (...end: string[]): ChildProcess => {
      const options = { execArgv: process.execArgv };
      return fork(program, [home, port, sha1(content).toString('hex'), String(content.length), ...end], options);
    };
    const [, signal] = await once(start('placed'), 'exit');
    t.equal(signal, 'SIGKILL');
    const path = join(home, 'downloads', 'killed.bin');
    const parts = join(home, 'downloads', '.incomplete');
    t.match(readdirSync(parts), [/\.part$/, /\.part\.json$/]);
    t.equal(statSync(path).nlink, 2);
    const next = start();
    t.teardown(() => next.kill('SIGKILL'));
    t.equal((await messageOf(next, 'started')).started, content.length);
    t.strictSame(readdirSync(parts), []);
    t.equal(statSync(path).nlink, 1);
    t.ok(readFileSync(path).equals(content));
  },
);

t.test(
  'killed at any moment, again and again, a download claims only what it has, goes on, and verifies',
  { timeout: 180_000 },
  async t => {
    const home = t.testdir();
    const content = testBytes(SIZE);
    const hash = sha1(content).toString('hex');
    // bytes that the source sends between the first progress in the record and the end of the process, drawn from a seed
    const moments = Array.from({ length: KILLS }, (_, i) => testBytes(2, 20_261_121 + i).readUInt16LE() << 3);
    let toKill: ChildProcess | null = null;
    /** What may be sent before the next record, or before the kill. */
    let bytesLeft = 0;
    let isKillNext = false;
    let goOn: () => void = () => undefined;
    const source = await ScriptedSource.open(t, async asked => {
      const bytes = partial(content, rangeOf(asked, SIZE));
      const piece = 32 * 1024;
      for (let at = 0; at < bytes.length && !asked.socket.destroyed; at += piece) {
        while (toKill !== null && bytesLeft <= 0) {
          if (isKillNext) toKill.kill('SIGKILL');
          await new Promise<void>(told => {
            goOn = told;
          });
          if (asked.socket.destroyed) return false;
        }
        bytesLeft -= piece;
        await drip(asked.socket, bytes.subarray(at, at + piece), () => piece);
      }
      return true;
    });
    /** Kills it once its record has progress, and `moment` bytes later. */
    const killAt = (child: ChildProcess, moment: number): void => {
      toKill = child;
      isKillNext = false;
      bytesLeft = BETWEEN_RECORDS;
      let startedAt = SIZE;
      child.on('message', (message: Message) => {
        if ('started' in message) startedAt = message.started;
        if (!('saved' in message) || isKillNext) return;
        isKillNext = message.saved > startedAt;
        bytesLeft = isKillNext ? moment : BETWEEN_RECORDS;
        goOn();
      });
      child.on('exit', () => goOn());
    };
    const start = (): ChildProcess =>
      fork(program, [home, String(source.source.endpoint.port), hash, String(SIZE)], { execArgv: process.execArgv });

    const resumedAt: number[] = [];
    for (const moment of moments) {
      const child = start();
      const gone = once(child, 'exit');
      killAt(child, moment);
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
      [...new Set(resumedAt)].sort((a, b) => a - b),
      resumedAt,
      'each went on from more than the one before',
    );
    const served = source.requests.reduce((sum, { headers }) => {
      const [, from, to] = /=(\d+)-(\d+)/.exec(headers.get('Range') ?? '') ?? [];
      return sum + Number(to) + 1 - Number(from);
    }, 0);
    t.comment(
      `killed ${KILLS} times, resumed at ${resumedAt.join(', ')}; asked for ${(served / SIZE).toFixed(2)} times the file`,
    );
  },
);
