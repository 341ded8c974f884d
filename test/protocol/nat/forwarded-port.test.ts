// The file in which a VPN client names the port that it forwards.
import fc from 'fast-check';
import t from 'tap';
import { forwardedPort } from '../../../protocol/nat/forwarded-port.ts';

t.test('the first port of the file is read', async t => {
  t.equal(forwardedPort('51413\n'), 51_413);
  t.equal(forwardedPort(' 6346'), 6346);
  t.equal(forwardedPort('40001\n40002\n'), 40_001);
  t.equal(forwardedPort('40001,40002'), 40_001);
});

t.test('anything else is said in one line', async t => {
  t.equal(forwardedPort(' \n'), 'is empty: the VPN has no port for us');
  for (const wrong of ['0', '65536', '-1', '1e3', 'port: 7', '{"port":7}', '0x1f'])
    t.match(forwardedPort(wrong), /^says ".*", which is no port from 1 to 65535$/);
});

t.test('no content is taken for a port that it is not, or spoils the line', async t => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), text => {
      const read = forwardedPort(text);
      return typeof read === 'number' ? read >= 1 && read <= 65_535 : /^[\x20-\x7e]{1,100}$/.test(read);
    }),
    { seed: 5 },
  );
  t.pass('held');
});
