import t from 'tap';
import { bootstrapView } from '../../../daemon/views/bootstrap.ts';
import type { BootstrapReport } from '../../../protocol/bootstrap/bootstrap-plan.ts';

const none = { known: 0, asked: 0, answered: 0 };
const report: BootstrapReport = {
  state: 'waiting',
  asking: null,
  caches: { udp: { known: 7, asked: 2, answered: 0 }, web: none },
  round: 1,
  nextAt: 40_000,
};
const said = (changes: Partial<BootstrapReport>) => bootstrapView({ ...report, ...changes }, 0).detail;

t.test('a servent that is alone says what it has tried and when it tries again', async t => {
  t.match(bootstrapView(report, 0), {
    detail: 'asked 2 of 7 UDP host caches, none answered; next round in 40 s',
    nextIn: 40,
    caches: { udp: { known: 7, asked: 2 } },
  });
  t.equal(
    said({ state: 'asking', asking: 'cache.example:6346', nextAt: 9_000 }),
    'asking cache.example:6346; asked 2 of 7 UDP host caches, none answered',
  );
  t.equal(
    said({ caches: { udp: { known: 1, asked: 1, answered: 1 }, web: { known: 2, asked: 2, answered: 0 } } }),
    'asked 1 of 1 UDP host cache and 2 of 2 GWebCaches, 1 answered, but no neighbour was found so far; next round in 40 s',
  );
  t.equal(said({ caches: { udp: none, web: none } }), 'no cache may be asked yet; next round in 40 s');
  t.equal(said({ state: 'dialling' }), 'dialling known hosts; a cache is asked in 40 s');
  t.equal(said({ state: 'dialling', nextAt: null }), 'dialling known hosts');
  t.match(said({ state: 'alone', nextAt: null }), /no further host to dial and no cache/);
  t.match(said({ state: 'unwanted', nextAt: null }), /gnutella\.seek is 0/);
});
