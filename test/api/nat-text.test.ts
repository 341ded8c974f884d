// Whether a servent relays is said in one line, with pairs and bytes, or why it does not.
import t from 'tap';
import { relayText } from '../../api/nat-text.ts';

t.test('a relay says between how many pairs and how many bytes passed, or why it does not', async t => {
  t.equal(relayText({ able: true, pairs: 2, bytes: 0 }), 'relays between 2 pairs, 0 B since the start');
  t.match(relayText({ able: true, pairs: 1, bytes: 5_000_000 }), /^relays between 1 pair, \S+ MiB since the start$/);
  t.match(relayText({ able: false, pairs: 0, bytes: 0 }), /no ultrapeer that others can connect to/);
});
