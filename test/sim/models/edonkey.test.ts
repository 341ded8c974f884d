// eDonkey's servers: the own one is asked first, then the others until one knows the file.
import t from 'tap';
import { EDonkey } from '../../../sim/models/edonkey.ts';
import { modelRun } from '../../support/model-run.ts';

t.test('one server answers all with two messages a search', async t => {
  const edonkey = new EDonkey(modelRun(100, 1, { servers: 1 }));
  edonkey.search(20);
  t.equal(edonkey.network.messages, 40);
  t.ok(edonkey.outcomes.every(({ found }) => found));
});

t.test('a server that is gone costs its clients a second, and nobody the result', async t => {
  const edonkey = new EDonkey(modelRun(300, 1, { servers: 2 }));
  edonkey.failServer(0);
  edonkey.search(200);
  const slow = edonkey.outcomes.filter(({ found, ms }) => found && ms >= 1000).length;
  t.ok(slow > 50 && slow < 150, `${slow} asked the other server second`);
  t.ok(edonkey.outcomes.filter(({ found }) => found).length > 170, 'most files are known to both');
});

t.test('when all are gone nothing is found', async t => {
  const edonkey = new EDonkey(modelRun(100, 1, { servers: 3 }));
  for (const server of [0, 1, 2]) edonkey.failServer(server);
  edonkey.search(10);
  t.notOk(edonkey.outcomes.some(({ found }) => found));
  t.equal(edonkey.network.messages, 30, 'each is asked once');
});
