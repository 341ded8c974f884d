// Groups of uploads: who belongs to one, and slots of their own.
import t from 'tap';
import {
  membership,
  readGroup,
  type UploadGroup,
} from '../../../../../protocol/transfer/uploads/queue/upload-group.ts';
import { placeOf, slotRequest, uploadQueue } from '../../../../support/upload-queue.ts';

const HOME: UploadGroup = { name: 'home', addresses: ['192.168.0.0/16', 'fd00::/8'], slots: 1 };

t.test('a bad entry says what is wrong and what to write', async t => {
  const good = { name: 'home', addresses: ['10.0.0.0/8'], slots: 2 };
  t.strictSame(readGroup({ ...good, gave: 5, agents: ['x*'], maxPerAddress: 0, limit: 0 }), {
    ...good,
    ...{ gave: 5, agents: ['x*'], maxPerAddress: 0, limit: 0 },
  });
  for (const [given, text] of [
    ['home', /^name, slots and one of addresses, agents and gave, such as \{name: home/],
    [{ ...good, color: 1 }, /^only name, .*: remove color$/],
    [{ ...good, name: 'My Home' }, /^name: up to 40 small letters/],
    [{ ...good, addresses: ['10.0.0.0/33'] }, /^addresses: a list of up to 100 IP addresses/],
    [{ ...good, addresses: '10.0.0.1' }, /^addresses: a list/],
    [{ ...good, agents: [''] }, /^agents: a list of up to 100 patterns/],
    [{ name: 'home', slots: 1 }, /^at least one of addresses, agents and gave/],
    [{ name: 'home', gave: 1 }, /^slots: a whole number of running uploads from 0 to 10000$/],
    [{ ...good, gave: 0 }, /^gave: a whole number of bytes/],
    [{ ...good, limit: 1.5 }, /^limit: a whole number of bytes per second/],
  ] as const)
    t.match(readGroup(given), text);
});

t.test('who belongs to a group', async t => {
  const gave = (address: string) => (address === '10.0.0.1' ? 1000 : 0);
  const has = (group: Partial<UploadGroup>, address: string, agent: string | null = null) =>
    membership({ name: 'x', slots: 1, ...group }, gave)(address, agent);
  t.ok(has(HOME, '192.168.3.4'));
  t.ok(has(HOME, 'fd00::1'));
  t.notOk(has(HOME, '192.169.0.1'));
  t.notOk(has(HOME, 'not an address'));
  for (const pattern of ['gtk-gnutella/*', '*', 'GTK*', '*gnutella*', '*1.2', 'gtk*/*2', 'gtk-gnutella/1.2'])
    t.ok(has({ agents: ['none', pattern] }, '1.2.3.4', 'gtk-gnutella/1.2'), pattern);
  for (const pattern of ['gtk', '*gnutella', 'gtk-gnutella/1.2*2', '*2*2', 'gtk-gnutella/1.2/*'])
    t.notOk(has({ agents: [pattern] }, '1.2.3.4', 'gtk-gnutella/1.2'), pattern);
  t.notOk(has({ agents: ['*'] }, '1.2.3.4'), 'no name');
  t.ok(has({ gave: 1000 }, '10.0.0.1'));
  t.notOk(has({ gave: 1001 }, '10.0.0.1'));
  t.notOk(has({ gave: 1, agents: ['me'] }, '10.0.0.1', 'you'), 'all conditions count');
});

t.test('a group has slots of its own, others share the common ones', async t => {
  const queue = uploadQueue({ slots: 1, slotsPerAddress: 0, queue: 9, groups: [HOME] });
  t.match(queue.ask(slotRequest(1, '1.1.1.1'), 0), { kind: 'granted' });
  t.match(queue.ask(slotRequest(2, '2.2.2.2'), 0), { kind: 'queued' });
  t.match(queue.ask(slotRequest(3, '192.168.1.1'), 0), { kind: 'granted' });
  t.match(queue.ask(slotRequest(4, '192.168.1.2'), 0), { kind: 'queued', place: { position: 1, length: 1 } });
  t.strictSame(
    [1, 2, 3, 4].map(id => queue.groupOf(id)),
    [null, null, 'home', 'home'],
  );
  queue.finish(1, 10);
  queue.leave(1, 10);
  t.match(queue.ask(slotRequest(4, '192.168.1.2'), 45_000), { kind: 'queued' }, 'a common slot is not for the group');
  t.match(queue.ask(slotRequest(2, '2.2.2.2'), 45_000), { kind: 'granted' });
  queue.leave(4, 50_000);
  t.match(queue.absent(), [{ address: '192.168.1.2', group: 'home', queue: { position: 1 } }]);
});

t.test('without common slots only groups are served', async t => {
  const queue = uploadQueue({ slots: 0, slotsPerAddress: 0, queue: 9, groups: [HOME] });
  t.ok(queue.serves('192.168.1.1', null));
  t.notOk(queue.serves('1.1.1.1', null));
});

t.test('an address may have more slots in its group', async t => {
  const groups = [{ ...HOME, slots: 3, maxPerAddress: 2 }];
  const queue = uploadQueue({ slots: 3, slotsPerAddress: 1, queue: 9, groups });
  const kinds = (address: string, first: number) =>
    [0, 1, 2].map(i => queue.ask(slotRequest(first + i, address), 0).kind);
  t.strictSame(kinds('192.168.1.1', 1), ['granted', 'granted', 'queued']);
  t.strictSame(kinds('1.1.1.1', 11), ['granted', 'queued', 'queued']);
});

t.test('when groups change, those who wait and those who have slots go where they belong', async t => {
  const limits = { slots: 1, slotsPerAddress: 0, queue: 9, groups: [] as UploadGroup[] };
  const queue = uploadQueue(limits);
  queue.ask(slotRequest(1, '192.168.1.1'), 0);
  placeOf(queue.ask(slotRequest(2, '192.168.1.2'), 0));
  placeOf(queue.ask(slotRequest(3, '1.1.1.1'), 0));
  limits.groups = [HOME];
  queue.tick(1);
  t.strictSame(
    [1, 2, 3].map(id => queue.groupOf(id)),
    ['home', 'home', null],
  );
  t.match(queue.view(2), { position: 1, length: 1, why: 'slots_taken' });
  t.match(queue.ask(slotRequest(3, '1.1.1.1'), 30_000), { kind: 'granted' }, 'the common slot is free now');
  limits.groups = [{ ...HOME, slots: 2 }];
  t.match(queue.ask(slotRequest(2, '192.168.1.2'), 30_000), { kind: 'granted' });
  limits.groups = [];
  t.match(queue.ask(slotRequest(4, '1.1.1.2'), 30_000), { kind: 'queued' }, 'three hold one slot: nobody else gets it');
  for (const connection of [1, 2, 3]) {
    queue.finish(connection, 40_000);
    queue.leave(connection, 40_000);
  }
  t.match(queue.ask(slotRequest(4, '1.1.1.2'), 60_000), { kind: 'granted' });
});

t.test('in a full queue the address with most places gives up its last one, of whatever group', async t => {
  const groups = [{ ...HOME, agents: ['home'] }];
  const queue = uploadQueue({ slots: 1, slotsPerAddress: 0, queue: 4, groups });
  queue.ask(slotRequest(1, '1.1.1.1'), 0);
  queue.ask(slotRequest(2, '192.168.1.9', { agent: 'home' }), 0);
  for (const [i, agent] of ['home', 'other', 'home', 'home'].entries())
    placeOf(queue.ask(slotRequest(i + 3, '192.168.1.1', { agent, size: 1000 + i }), i));
  t.match(queue.ask(slotRequest(7, '2.2.2.2'), 10), { kind: 'queued' });
  t.strictSame(
    [3, 4, 5, 6].map(id => queue.view(id) !== null),
    [true, true, true, false],
  );
});

t.test('after a restart each is in its group', async t => {
  const limits = { slots: 1, slotsPerAddress: 0, queue: 9, groups: [HOME] };
  const queue = uploadQueue(limits);
  queue.ask(slotRequest(1, '192.168.1.1'), 0);
  const { id } = placeOf(queue.ask(slotRequest(2, '192.168.1.2'), 0));
  const records = [...queue.ids()].flatMap(each => queue.record(each, 10, 10) ?? []);
  const next = uploadQueue(limits, { seed: 2 });
  next.restore(records, 20, 20);
  t.match(next.absent(), [{ group: 'home', queue: { id, position: 1, why: 'slots_taken' } }]);
  t.match(next.ask(slotRequest(1, '1.1.1.1'), 30), { kind: 'granted' });
});
