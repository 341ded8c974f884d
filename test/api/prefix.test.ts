import t from 'tap';
import { idBegunWith } from '../../api/prefix.ts';

const PEERS = [
  { id: '7', address: '127.0.0.1:6346' },
  { id: '8', address: '203.0.113.9:6346' },
];

t.test('the number of a connection that has gone names no other one', async t => {
  for (const gone of ['1', '2', '12', '127']) t.equal(idBegunWith(gone, PEERS, 'peers'), null, gone);
});

t.test('a neighbour is named by the beginning of its address', async t => {
  t.equal(idBegunWith('127.', PEERS, 'peers'), '7');
  t.equal(idBegunWith('203.0.113.9:6346', PEERS, 'peers'), '8');
  t.equal(idBegunWith('10.', PEERS, 'peers'), null);
});

t.test('where addresses are the ids, their beginning may be a number', async t => {
  const hosts = PEERS.map(({ address }) => ({ address }));
  t.equal(idBegunWith('203', hosts, 'hosts'), '203.0.113.9:6346');
});

t.test('a whole IPv4 address is completed by its port, not by more digits', async t => {
  const bans = [{ id: '192.0.2.12', address: '192.0.2.12' }];
  t.equal(idBegunWith('192.0.2.1', bans, 'bans'), null);
  t.equal(idBegunWith('192.0.2.', bans, 'bans'), '192.0.2.12');
  t.equal(idBegunWith('203.0.113.9', [{ id: '203.0.113.9:6346' }], 'hosts'), '203.0.113.9:6346');
});
