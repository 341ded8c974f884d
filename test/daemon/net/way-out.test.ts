// How connections leave: what is closed for good stays closed as an interface comes back.
import t from 'tap';
import { WayOut } from '../../../daemon/net/way-out.ts';

t.test('an interface that comes back does not open the way to a proxy that the profile does not reach', async t => {
  const way = new WayOut();
  way.open('10.8.0.2');
  t.equal(way.closed, null);
  way.outside = 'the proxy is outside';
  way.close('the interface is away');
  way.open('10.8.0.2');
  t.equal(way.closed, 'the proxy is outside');
});
