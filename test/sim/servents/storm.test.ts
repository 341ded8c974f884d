// Networks of whole servents under churn, loss and partitions run clean, and each planted fault is found by the rule that it breaks.

import t from 'tap';
import { Type } from '../../../protocol/constants.ts';
import { Priority } from '../../../protocol/overlay/links/send-queue.ts';
import { encodeBye } from '../../../protocol/wire/bye.ts';
import { encodeDescriptor } from '../../../protocol/wire/header.ts';
import { passingIn } from '../../../sim/checkers/passing.ts';
import type { Host, HostWire, Medium } from '../../../sim/servents/medium.ts';
import { storm } from '../../../sim/servents/storm.ts';
import type { VirtualDownload } from '../../../sim/transfer/virtual-download.ts';

t.test('a network of 300 servents runs clean, and searches find', async t => {
  const { findings, searches, found, downloads, checked } = storm({ seed: 2, servents: 300, seconds: 80 });
  t.strictSame(findings, []);
  t.ok(checked > 20_000, `${checked} descriptors`);
  t.ok(found > 0.6 * searches, `${found} of ${searches} found`);
  t.ok(downloads.complete >= 5, `${downloads.complete} of ${downloads.begun} downloads complete`);
});

t.test(
  'most downloads complete in spite of liars, churn and a partition, and those of a host that goes down end',
  async t => {
    const { findings, downloads } = storm({ seed: 8, servents: 60, seconds: 150 });
    t.strictSame(findings, []);
    t.ok(downloads.complete > 0.5 * downloads.begun, `${downloads.complete} of ${downloads.begun}`);
    t.ok(downloads.stopped > 0, `${downloads.stopped} stopped`);
  },
);

t.test('one seed, one trace; another seed, another', async t => {
  const of = (seed: number): string => storm({ seed, servents: 40, seconds: 80 }).traceHash;
  const first = of(5);
  t.equal(of(5), first);
  t.not(of(6), first);
});

/** Rewrites or leaves out the descriptors of a kind that a host writes. */
function rewrites(
  host: Host,
  type: number,
  rewrite: (frame: Buffer, hops: number, wire: HostWire) => Buffer | null,
): void {
  host.tamper = (wire, frames) =>
    Buffer.concat(
      [...passingIn(frames)].flatMap(passing => {
        const frame = frames.subarray(passing.start, passing.end);
        return passing.type === type ? (rewrite(frame, passing.hops, wire) ?? []) : frame;
      }),
    );
}

/** A copy of each query that reaches a host goes out over these wires, one hop older. */
function copies(host: Host, internet: Medium, over: (from: HostWire) => HostWire[]): void {
  const seen = new Set<string>();
  internet.watch({
    onArrived: (wire, frames) => {
      if (wire.to !== host) return;
      for (const { guid, type, start, end } of passingIn(frames)) {
        if (type !== Type.Query || seen.has(guid)) continue;
        seen.add(guid);
        const copy = Buffer.from(frames.subarray(start, end));
        copy[17] = 1;
        copy[18] = (copy[18] ?? 0) + 1;
        for (const onward of over(wire)) onward.link?.queue.enqueue(copy, Priority.Query);
      }
    },
  });
}

const FAULTS = {
  'a query goes back to who sent it': {
    role: 'ultrapeer',
    rule: 'echo',
    plant: (host: Host, internet: Medium) => copies(host, internet, ({ back }) => (back === null ? [] : [back])),
  },
  'the TTL is not lowered': {
    role: 'ultrapeer',
    rule: 'TTL grew',
    plant: (host: Host) =>
      rewrites(host, Type.Query, (frame, hops) => {
        const raised = Buffer.from(frame);
        if (hops > 0) raised[17] = (raised[17] ?? 0) + 1;
        return raised;
      }),
  },
  'a route is lost, and hits with it': {
    role: 'ultrapeer',
    rule: 'hit lost',
    plant: (host: Host) => rewrites(host, Type.QueryHit, (frame, hops) => (hops > 0 ? null : frame)),
  },
  'a table denies a word that the leaf has': {
    role: 'ultrapeer',
    rule: 'query kept from a leaf',
    plant: (host: Host) => rewrites(host, Type.Query, (frame, _, wire) => (wire.link?.role === 'leaf' ? null : frame)),
  },
  'a leaf passes queries on': {
    role: 'leaf',
    rule: 'leaf relayed',
    plant: (host: Host, internet: Medium) =>
      copies(host, internet, from => [...host.wires.values()].filter(wire => wire !== from.back)),
  },
  'a hit goes out twice': {
    role: 'ultrapeer',
    rule: 'sent twice',
    plant: (host: Host) => rewrites(host, Type.QueryHit, frame => Buffer.concat([frame, frame])),
  },
  'the TTL of a hit is raised': {
    role: 'ultrapeer',
    rule: 'TTL grew',
    plant: (host: Host) =>
      rewrites(host, Type.QueryHit, (frame, hops) => {
        const raised = Buffer.from(frame);
        if (hops > 0) raised[17] = (raised[17] ?? 0) + 3;
        return raised;
      }),
  },
  'a hop of a hit is not counted': {
    role: 'ultrapeer',
    rule: 'hops not raised',
    plant: (host: Host) =>
      rewrites(host, Type.QueryHit, (frame, hops) => {
        const same = Buffer.from(frame);
        if (hops > 0) same[18] = hops - 1;
        return same;
      }),
  },
  'queries follow a Bye': {
    role: 'ultrapeer',
    rule: 'after Bye',
    plant: (host: Host) => {
      const bye = encodeDescriptor(
        Buffer.alloc(16, 7),
        Type.Bye,
        1,
        0,
        encodeBye({ code: 200, text: 'bye', headers: [] }),
      );
      rewrites(host, Type.Query, frame => Buffer.concat([bye, frame]));
    },
  },
  'a servent answers with whatever file it has': {
    role: 'ultrapeer',
    rule: 'untrue result',
    plant: (host: Host) => {
      host.library.share('something else.ogg');
      host.library.match = () => host.library.shared().slice(0, 1);
    },
  },
} as const;

for (const [name, { role, rule, plant }] of Object.entries(FAULTS))
  t.test(`found: ${name}`, async t => {
    const { counts } = storm({ seed: 11, servents: 100, seconds: 110, fault: { role, plant } });
    t.ok(
      (counts.get(rule) ?? 0) > 0,
      `${rule}, of ${[...counts].map(([found, count]) => `${found} ${count}`).join(', ')}`,
    );
  });

/** Keeps other bytes than those that came. */
function writes(download: VirtualDownload, tamper: (offset: number, bytes: Buffer) => [number, Buffer]): void {
  const write = download.write.bind(download);
  download.write = (offset, bytes) => write(...tamper(offset, bytes));
}

function lastFlipped(bytes: Buffer): Buffer {
  const wrong = Buffer.from(bytes);
  wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1;
  return wrong;
}

const DOWNLOAD_FAULTS = {
  'nothing is verified, and liars are believed': {
    rule: 'complete with other bytes',
    plant: (download: VirtualDownload) => {
      const { swarm } = download;
      download.isRight = () => true;
      const onHashed = swarm.onHashed.bind(swarm);
      swarm.onHashed = (order, digest, now) => {
        const { tree } = swarm.verification.quest;
        onHashed(order, tree?.leaf(tree.sliceAt(order.range.start)) ?? digest, now);
      };
    },
  },
  'the disk keeps another byte, which nobody looks at again': {
    rule: 'complete with other bytes',
    plant: (download: VirtualDownload) => {
      const isRight = download.isRight.bind(download);
      download.isRight = () => {
        const isDone = isRight();
        if (isDone) download.disk = lastFlipped(download.disk);
        return isDone;
      };
    },
  },
  'a wrong byte is written, and sources are blamed for it': {
    rule: 'honest source in vain',
    plant: (download: VirtualDownload) => writes(download, (offset, bytes) => [offset, lastFlipped(bytes)]),
  },
  'bytes are written beyond the end of the file': {
    rule: 'byte outside the file',
    plant: (download: VirtualDownload) =>
      writes(download, (offset, bytes) => [offset, Buffer.concat([bytes, Buffer.alloc(16)])]),
  },
} as const;

for (const [name, { rule, plant }] of Object.entries(DOWNLOAD_FAULTS))
  t.test(`found: ${name}`, async t => {
    const { counts } = storm({ seed: 11, servents: 60, seconds: 120, faultyDownload: plant });
    t.ok(
      (counts.get(rule) ?? 0) > 0,
      `${rule}, of ${[...counts].map(([found, count]) => `${found} ${count}`).join(', ')}`,
    );
  });
