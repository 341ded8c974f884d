// A hundred cuts during swarms: at each a copy is made of what a crash would leave, and a new process's Downloads finishes the copy.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { encodeThex } from '../../../protocol/digest/thex.ts';
import { TigerTreeHasher } from '../../../protocol/digest/tiger-tree-hasher.ts';
import { formatBase32 } from '../../../protocol/wire/urn.ts';
import { crashCopy } from '../../support/crash-copy.ts';
import { DownloadRig, type SaveMoment, sha1 } from '../../support/download-rig.ts';
import { drip, partial, rangeOf, type Script, ScriptedSource } from '../../support/scripted-source.ts';
import { testBytes } from '../../support/shared-files.ts';

const SIZE = 8 << 20;
const SOURCES = 3;
const RUNS = 4;
const CUTS = 25;
/** Of what is cut, and of the rest. */
const PIECE_BYTES = 8 << 10;
const LARGE_PIECE_BYTES = 128 << 10;
/** More records than such a file has by default. */
const CHECKPOINT = { bytes: 512 << 10, ms: 1000 };
/** Sent after a cut was due, while its moment has not come: records may be saved more rarely than pieces are sent. */
const MOMENT_BYTES_MAX = CHECKPOINT.bytes;
/** One that a source was bringing, for each, and one of which two had parts. */
const LEAVES_LOST_MAX = SOURCES + 1;
/** Bytes of the file that came twice after a cut, on average: in leaves, which are of one size in files of 8 to 64 MiB. */
const LEAVES_TWICE_MEAN = 2;
/** Sent and not written, of all sources: the disk keeps pace with the network. */
const AHEAD_BYTES = SOURCES * PIECE_BYTES;
/** Of a millisecond: then bytes came twice, or never. */
const TURNS_MAX = 500;

const content = testBytes(SIZE);
const hash = sha1(content);
const tree = new TigerTreeHasher().update(content).finish();
t.setTimeout(300_000); // on a busy machine

const thex = encodeThex(tree);

/** Between what happens in a run: a piece has left a source, a record is about to be saved, or is saved. */
const MOMENTS = ['piece', 'before', 'after'] as const satisfies ('piece' | SaveMoment)[];
type Moment = (typeof MOMENTS)[number];

interface Cut {
  /** Once sources have sent so many bytes: at most 0.9 of the file, so that pieces are left for those that wait. */
  readonly from: number;
  readonly moment: Moment;
}

interface Copy {
  readonly home: string;
  /** Bytes of the file that sources had sent. */
  readonly sent: number;
  /** Bytes that were written. */
  readonly written: number;
  /** The record has the hash tree. */
  readonly hasTree: boolean;
}

/** Drawn from a seed, in order. */
function cutsOf(run: number): Cut[] {
  const chance = testBytes(CUTS * 4, 20_261_130 + run);
  return Array.from({ length: CUTS }, (_, i) => ({
    from: Math.floor((chance.readUIntLE(i * 4, 3) / 2 ** 24) * SIZE * 0.9),
    moment: MOMENTS[(chance[i * 4 + 3] ?? 0) % MOMENTS.length] ?? 'piece',
  })).sort((a, b) => a.from - b.from);
}

/** What sources send of the file in all, and what happens while they do. */
class Traffic {
  sent = 0;
  /** Bytes on the disk. Null: nothing is cut, and the disk need not keep pace. */
  #done: (() => number) | null = null;
  /** What was sent and did not, or will not, count as done. */
  #apart: number | null = null;
  onMoment: (moment: Moment) => void = () => undefined;

  /** Another run begins. */
  begin(done: (() => number) | null): void {
    this.#done = done;
    this.#apart = null;
  }

  /** Serves the file and its hash tree; `closes`: and then the connection. */
  script(closes: boolean): Script {
    return async asked => {
      const { head, socket } = asked;
      if (head.target.startsWith('/tree')) {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/dime\r\nContent-Length: ${thex.length}\r\n\r\n`);
        return socket.write(thex) || true;
      }
      const range = rangeOf(asked, SIZE);
      const offer = `X-Thex-URI: /tree;${formatBase32(tree.root)}\r\n${closes ? 'Connection: close\r\n' : ''}`;
      const answer = partial(content, range, offer);
      socket.write(answer.subarray(0, answer.length - (range.end - range.start)));
      const pieceBytes = this.#done === null ? LARGE_PIECE_BYTES : PIECE_BYTES;
      for (let at = range.start; at < range.end && !socket.destroyed; at += pieceBytes) {
        const piece = content.subarray(at, Math.min(at + pieceBytes, range.end));
        this.sent += piece.length;
        await drip(socket, piece, () => piece.length);
        this.onMoment('piece');
        await this.#keepPace();
      }
      return !closes;
    };
  }

  async #keepPace(): Promise<void> {
    const done = this.#done;
    if (done === null) return;
    this.#apart ??= this.sent - done() - PIECE_BYTES;
    const apart = this.#apart;
    for (let turns = 0; this.sent - done() - apart > AHEAD_BYTES; turns++) {
      if (turns === TURNS_MAX) this.#apart = this.sent - done();
      if (turns === TURNS_MAX) return;
      await new Promise(turn => setTimeout(turn, 1));
    }
  }
}

/** Fetches the file once, and makes a copy at each cut. */
async function copies(t: Test, sources: readonly ScriptedSource[], traffic: Traffic, run: number): Promise<Copy[]> {
  const home = t.testdir();
  const rig = await DownloadRig.open(t, home, { checkpoint: CHECKPOINT });
  traffic.begin(() => rig.downloads.list()[0]?.done ?? 0);
  const cuts = cutsOf(run);
  const made: Copy[] = [];
  let hasTree = false;
  const sentBefore = traffic.sent;
  traffic.onMoment = moment => {
    const cut = cuts[made.length];
    const sent = traffic.sent - sentBefore;
    if (cut === undefined || sent < cut.from || (moment !== cut.moment && sent < cut.from + MOMENT_BYTES_MAX)) return;
    const copy = `${home}-${made.length}`;
    crashCopy(home, ['store', 'downloads'], copy);
    made.push({ home: copy, sent, written: rig.downloads.list()[0]?.done ?? 0, hasTree });
  };
  rig.records.onSave = (moment, { tree }) => {
    if (moment === 'after') hasTree = tree !== null;
    traffic.onMoment(moment);
  };
  const request = { sha1: hash, size: SIZE, name: 'f', sources: sources.map(({ source }) => source) };
  const { id } = await rig.downloads.add(request);
  await rig.ended(id);
  await rig.stop();
  traffic.onMoment = () => undefined;
  rmSync(join(home, 'downloads'), { recursive: true });
  return made;
}

/** Finishes a copy; gives what sources sent for it. */
async function finish(t: Test, { home, written, hasTree }: Copy, traffic: Traffic): Promise<number> {
  traffic.begin(null);
  const sentBefore = traffic.sent;
  const rig = await DownloadRig.open(t, home, { checkpoint: CHECKPOINT });
  const [{ id } = { id: '' }] = rig.downloads.list();
  const view = await rig.ended(id);
  await rig.stop();
  t.match(view, { state: 'completed', error: null });
  const kept = SIZE - view.sources.reduce((sum, { bytes }) => sum + bytes, 0);
  if (hasTree) t.ok(written - kept <= LEAVES_LOST_MAX * tree.sliceBytes, `${written - kept} written bytes were lost`);
  const folder = join(home, 'downloads');
  t.strictSame(readdirSync(folder).sort(), ['.incomplete', 'f']);
  t.ok(readFileSync(join(folder, 'f')).equals(content), 'identical');
  rmSync(home, { recursive: true });
  return traffic.sent - sentBefore;
}

t.test(`after each of ${RUNS * CUTS} cuts a swarm goes on, and hardly anything is fetched twice`, async t => {
  const traffic = new Traffic();
  const scripts = Array.from({ length: SOURCES }, (_, i) => traffic.script(i === 1));
  const sources = await Promise.all(scripts.map(script => ScriptedSource.open(t, script)));
  let twice = 0;
  let most = 0;
  for (let run = 0; run < RUNS; run++) {
    await t.test(`run ${run}`, async t => {
      const made = await copies(t, sources, traffic, run);
      t.equal(made.length, CUTS);
      for (const copy of made) {
        const again = copy.sent + (await finish(t, copy, traffic)) - SIZE;
        most = Math.max(most, again);
        twice += again;
      }
    });
  }
  const mean = twice / (RUNS * CUTS);
  const told = `${Math.round(mean)} bytes of the file came twice after a cut on average, ${most} after the worst`;
  t.ok(mean < LEAVES_TWICE_MEAN * tree.sliceBytes, told);
});
