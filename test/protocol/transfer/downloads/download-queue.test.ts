import fc from 'fast-check';
import t from 'tap';
import {
  DownloadQueue,
  type Move,
  type QueueCommand,
  type QueuedAs,
  type QueueLimits,
  type RoomNeed,
} from '../../../../protocol/transfer/downloads/download-queue.ts';

const MIB = 1 << 20;
const NO_LIMITS: QueueLimits = { active: 2, reserve: 0, categories: new Map() };
const AS: QueuedAs = { priority: 0, place: null, category: null, held: false };

/** Carries out what the queue says, as the daemon does; every volume has `free` bytes. */
class Shell {
  readonly queue: DownloadQueue;
  readonly needs = new Map<string, RoomNeed[]>();
  readonly running = new Set<string>();
  readonly said: string[] = [];
  /** By volume; the volume of a folder is its first letter. */
  readonly free = new Map<string, number | null>();
  now = 0;

  constructor(limits: Partial<QueueLimits> = {}) {
    this.queue = new DownloadQueue({ ...NO_LIMITS, ...limits }, id => this.needs.get(id) ?? []);
  }

  add(id: string, as: Partial<QueuedAs> = {}, needs: RoomNeed[] = []): this {
    this.needs.set(id, needs);
    this.queue.add(id, { ...AS, ...as });
    return this;
  }

  /** Does all there is to do now. */
  run(): string[] {
    const started: string[] = [];
    for (let commands = this.queue.next(this.now); commands.length > 0; commands = this.queue.next(this.now))
      for (const command of commands) this.#do(command, started);
    return started;
  }

  #do(command: QueueCommand, started: string[]): void {
    if (command.kind === 'measure') {
      const volume = command.folder.slice(0, 1);
      this.queue.onRoom(command.folder, { volume, free: this.free.get(volume) ?? null }, this.now);
      return;
    }
    this.said.push(`${command.kind} ${command.id}`);
    if (command.kind === 'start') {
      this.queue.onStarted(command.id);
      this.running.add(command.id);
      started.push(command.id);
    }
    if (command.kind === 'pause' && this.running.has(command.id)) this.end(command.id, this.now);
  }

  end(id: string, at: number | null): void {
    this.running.delete(id);
    this.queue.onEnded(id, at);
  }

  finish(id: string): void {
    this.running.delete(id);
    this.queue.remove(id);
  }
}

/** The ids in their order. */
const lineOf = ({ queue }: Shell, ids: string): string =>
  [...ids].sort((a, b) => (queue.positionOf(a) ?? 0) - (queue.positionOf(b) ?? 0)).join('');

t.test('by priority, then in order, as many as are allowed', async t => {
  const shell = new Shell().add('a').add('b').add('c').add('d', { priority: 5 });
  t.equal(lineOf(shell, 'abcd'), 'dabc');
  t.strictSame(shell.run(), ['d', 'a']);
  t.equal(shell.queue.waitOf('b'), 'turn');
  shell.finish('d');
  t.strictSame(shell.run(), ['b']);
  t.equal(shell.queue.positionOf('d'), null);
  shell.queue.limits = { ...NO_LIMITS, active: 3 };
  t.strictSame(shell.run(), ['c']);
});

t.test('moves are among those of one priority', async t => {
  const shell = new Shell({ active: 0 }).add('a').add('b').add('c').add('d').add('x', { priority: 1 });
  const order = (id: string, to: Move): string => {
    shell.queue.move(id, to);
    return lineOf(shell, 'abcdx');
  };
  t.equal(order('c', 'up'), 'xacbd');
  t.equal(order('a', 'down'), 'xcabd');
  t.equal(order('d', 'top'), 'xdcab');
  t.equal(order('c', 'bottom'), 'xdabc');
  t.strictSame(shell.queue.move('d', 'up'), [], 'it is the first of its priority');
  t.strictSame(shell.queue.move('c', 'bottom'), []);
  t.strictSame(shell.queue.move('nobody', 'top'), []);
  shell.queue.limits = { ...NO_LIMITS, active: 9 };
  t.strictSame(shell.run(), ['x', 'd', 'a', 'b', 'c'], 'they start in that order');
});

t.test(
  'a download that waits in a remote queue holds no turn, and takes one when it is called, even above the limit',
  async t => {
    const shell = new Shell({ active: 1 }).add('a').add('b');
    t.strictSame(shell.run(), ['a']);
    t.ok(shell.queue.onRemoteQueue('a', true));
    t.notOk(shell.queue.onRemoteQueue('a', true));
    t.strictSame(shell.run(), ['b']);
    t.ok(shell.queue.onRemoteQueue('a', false));
    shell.add('c');
    shell.finish('b');
    t.strictSame(shell.run(), [], 'a has the turn');
    shell.finish('a');
    t.strictSame(shell.run(), ['c']);
  },
);

t.test('what is held does not start; released it does', async t => {
  const shell = new Shell().add('a', { held: true }).add('b');
  t.strictSame(shell.run(), ['b']);
  t.equal(shell.queue.waitOf('a'), 'held');
  shell.queue.hold('b');
  shell.end('b', 0);
  t.strictSame(shell.run(), []);
  t.ok(shell.queue.isHeld('b'), 'the end of its run does not change that');
  shell.queue.onSource('a', 0);
  t.strictSame(shell.run(), [], 'nor does a new source');
  shell.queue.release('a', 0);
  t.strictSame(shell.run(), ['a']);
  t.equal(shell.queue.nextAt === null || shell.queue.nextAt > 0, true);
});

t.test('a time to try again is kept, and is the deadline; without one a new source is waited for', async t => {
  const shell = new Shell().add('a').add('b');
  shell.run();
  shell.end('a', 500);
  shell.end('b', null);
  t.strictSame(shell.run(), []);
  t.equal(shell.queue.nextAt, 500);
  t.equal(shell.queue.waitOf('a'), 'time');
  t.equal(shell.queue.waitOf('b'), 'source');
  shell.now = 499;
  t.strictSame(shell.run(), []);
  shell.now = 500;
  t.strictSame(shell.run(), ['a']);
  t.equal(shell.queue.nextAt, null, 'nothing is done while nothing is due');
  shell.queue.onSource('b', 500);
  t.strictSame(shell.run(), ['b']);
});

t.test('a category has a limit of its own; the others pass by it', async t => {
  const shell = new Shell({ active: 3, categories: new Map([['film', 1]]) })
    .add('a', { category: 'film' })
    .add('b', { category: 'film' })
    .add('c', { category: 'music' })
    .add('d');
  t.strictSame(shell.run(), ['a', 'c', 'd']);
  shell.finish('c');
  t.strictSame(shell.run(), []);
  t.equal(shell.queue.waitOf('b'), 'category');
  shell.queue.setCategory('b', null);
  t.strictSame(shell.run(), ['b']);
});

t.test('nothing starts while all is suspended', async t => {
  const shell = new Shell().add('a');
  shell.queue.suspended = true;
  t.strictSame(shell.run(), []);
  t.equal(shell.queue.nextAt, null);
  t.equal(shell.queue.waitOf('a'), 'suspended');
  shell.queue.suspended = false;
  t.strictSame(shell.run(), ['a']);
});

t.test(
  'a volume with less than the reserve pauses what is on it, and only that, until there is room again',
  async t => {
    const shell = new Shell({ active: 4, reserve: 100 * MIB });
    shell.free.set('v', 150 * MIB).set('w', 900 * MIB);
    shell.add('a', {}, [{ folder: 'v/x', bytes: 40 * MIB }]);
    shell.add('b', {}, [{ folder: 'v/y', bytes: 60 * MIB }]);
    shell.add('c', {}, [{ folder: 'w', bytes: 60 * MIB }]);
    t.strictSame(shell.run(), ['a', 'c'], 'b needs more than there is');
    t.strictSame(shell.queue.shortageOf('b'), {
      folder: 'v/y',
      free: 150 * MIB,
      reserve: 100 * MIB,
      needed: 60 * MIB,
    });
    t.equal(shell.queue.waitOf('b'), 'room');
    shell.free.set('v', 99 * MIB);
    shell.now = shell.queue.nextAt ?? 0;
    t.equal(shell.now, 5000, 'looked at again by time');
    t.strictSame(shell.run(), []);
    t.strictSame(shell.said.slice(-1), ['pause a']);
    t.strictSame([...shell.running], ['c']);
    shell.free.set('v', 1000 * MIB);
    shell.now = shell.queue.nextAt ?? 0;
    t.strictSame(shell.run(), ['a', 'b']);
    t.ok(shell.said.includes('unpause a') && shell.said.includes('unpause b'));
    t.equal(shell.queue.shortageOf('b'), null);
  },
);

t.test('what those that run still need counts before a start', async t => {
  const shell = new Shell({ active: 4 });
  shell.free.set('v', 100 * MIB);
  for (const id of 'abc') shell.add(id, {}, [{ folder: 'v', bytes: 45 * MIB }]);
  t.strictSame(shell.run(), ['a', 'b']);
  t.equal(shell.queue.waitOf('c'), 'room');
  t.equal(shell.queue.shortageOf('c'), null, 'there is room for it alone: it is not paused');
  shell.finish('a');
  t.strictSame(shell.run(), ['c'], 'as soon as one is over');
});

t.test('the folder of the finished file needs room too when it is on another volume', async t => {
  const shell = new Shell();
  shell.free.set('v', 100 * MIB).set('w', 10 * MIB);
  shell.add('a', {}, [
    { folder: 'v/parts', bytes: 60 * MIB },
    { folder: 'v/films', bytes: 60 * MIB },
  ]);
  shell.add('b', {}, [
    { folder: 'v/parts', bytes: 20 * MIB },
    { folder: 'w/films', bytes: 20 * MIB },
  ]);
  t.strictSame(shell.run(), ['a']);
  t.match(shell.queue.shortageOf('b'), { folder: 'w/films' });
});

t.test('a volume that does not tell counts as one with room; a size that is not known as small', async t => {
  const shell = new Shell({ reserve: MIB });
  shell.add('a', {}, [{ folder: 'v', bytes: 1e15 }]);
  t.strictSame(shell.run(), ['a']);
  shell.free.set('w', MIB);
  shell.add('b', {}, [{ folder: 'w', bytes: null }]);
  t.strictSame(shell.run(), ['b']);
});

t.test('a change of the reserve is looked at at once', async t => {
  const shell = new Shell({ reserve: 0 });
  shell.free.set('v', 10 * MIB);
  shell.add('a', {}, [{ folder: 'v', bytes: MIB }]);
  t.strictSame(shell.run(), ['a']);
  shell.queue.limits = { ...NO_LIMITS, reserve: 20 * MIB };
  shell.run();
  t.match(shell.queue.shortageOf('a'), { reserve: 20 * MIB });
});

t.test('10,000 downloads that start one after the other do not look at all the others each time', async t => {
  let asked = 0;
  const queue = new DownloadQueue({ ...NO_LIMITS, active: 4 }, () => {
    asked++;
    return [];
  });
  for (let i = 0; i < 10_000; i++) queue.add(String(i), AS);
  for (let i = 0; i < 10_000; i++) {
    for (const command of queue.next(0)) if (command.kind === 'start') queue.onStarted(command.id);
    queue.onEnded(String(i), null);
  }
  t.equal(queue.nextAt, null);
  t.ok(asked < 20 * 10_000, `${asked} looks at what is needed`);
});

const ID = fc.constantFrom(...'abcdefgh');
const orders = fc.array(
  fc.oneof(
    fc.record({ op: fc.constant('add' as const), id: ID, priority: fc.integer({ min: -1, max: 1 }), need: fc.nat(50) }),
    fc.record({ op: fc.constantFrom('remove', 'hold', 'release', 'source', 'ended', 'queued', 'called'), id: ID }),
    fc.record({ op: fc.constant('move' as const), id: ID, to: fc.constantFrom<Move>('top', 'up', 'down', 'bottom') }),
    fc.record({ op: fc.constant('priority' as const), id: ID, priority: fc.integer({ min: -1, max: 1 }) }),
    fc.record({ op: fc.constant('free' as const), id: ID, free: fc.nat(120) }),
    fc.record({ op: fc.constant('wait' as const), id: ID, ms: fc.nat(6000) }),
  ),
  { maxLength: 60 },
);

t.test(
  'whatever happens: each has one place, what runs is within the limits and not held, and nothing waits for a free turn',
  async () => {
    const LIMITS = { active: 3, reserve: 20, categories: new Map([['one', 1]]) };
    fc.assert(
      fc.property(orders, steps => {
        const shell = new Shell(LIMITS);
        const { queue } = shell;
        const called = new Set<string>();
        const known = new Set<string>();
        const categoryOf = (id: string): string | null => (id < 'd' ? 'one' : null);
        shell.free.set('v', 100);
        for (const step of steps) {
          const { id } = step;
          const has = queue.has(id);
          if (step.op === 'add' && !has) {
            const category = categoryOf(id);
            shell.add(id, { priority: step.priority, category }, [{ folder: 'v', bytes: step.need }]);
            known.add(id);
          } else if (step.op === 'remove') {
            shell.finish(id);
            known.delete(id);
          } else if (step.op === 'hold') {
            queue.hold(id);
            shell.running.delete(id);
          } else if (step.op === 'release') queue.release(id, shell.now);
          else if (step.op === 'source') queue.onSource(id, shell.now);
          else if (step.op === 'ended' && shell.running.has(id)) shell.end(id, shell.now + 100);
          else if (step.op === 'queued') queue.onRemoteQueue(id, true);
          else if (step.op === 'called') {
            if (queue.onRemoteQueue(id, false)) called.add(id); // may go above the limits
          } else if (step.op === 'move') queue.move(id, step.to);
          else if (step.op === 'priority') queue.setPriority(id, step.priority);
          else if (step.op === 'free') shell.free.set('v', step.free);
          else if (step.op === 'wait') shell.now += step.ms;
          shell.run();
          for (const id of called) if (!shell.running.has(id)) called.delete(id);

          const positions = [...known].map(id => queue.positionOf(id)).sort((a, b) => (a ?? 0) - (b ?? 0));
          if (positions.some((position, i) => position !== i + 1)) throw new Error(`places ${positions}`);
          for (const id of known) {
            const wait = queue.waitOf(id);
            if ((wait === null) !== shell.running.has(id)) throw new Error(`${id} runs, or says why not`);
            if (queue.isHeld(id) && shell.running.has(id)) throw new Error(`${id} is held and runs`);
            if (wait === 'room' && (shell.needs.get(id)?.[0]?.bytes ?? 0) === 0) throw new Error(`${id} needs no room`);
          }
          if (called.size === 0) {
            const turns = [...shell.running].filter(id => !isInRemoteQueue(queue, id));
            const ofOne = turns.filter(id => categoryOf(id) === 'one').length;
            if (turns.length > LIMITS.active || ofOne > 1) throw new Error('above the limit');
            const waiting = [...known].filter(id => queue.waitOf(id) === 'turn');
            if (turns.length < LIMITS.active && waiting.length > 0) throw new Error(`${waiting} could run`);
          }
        }
      }),
      { numRuns: 300 },
    );
  },
);

/** Whether a running download is in a remote queue: asking for it changes nothing. */
function isInRemoteQueue(queue: DownloadQueue, id: string): boolean {
  if (!queue.onRemoteQueue(id, true)) return true;
  queue.onRemoteQueue(id, false);
  return false;
}
