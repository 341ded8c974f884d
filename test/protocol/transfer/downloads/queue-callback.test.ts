import t from 'tap';
import { parseQueueCallback } from '../../../../protocol/transfer/downloads/queue-callback.ts';

const ID = 'cc3b8051ce5d6ded19b1389e3f2800b1';

t.test('the id of a place, with or without an address, in any case', async t => {
  for (const line of [`QUEUE ${ID} 5.5.1.1:6346\r\n`, `QUEUE ${ID.toUpperCase()} 5.5.1.1:6346\n`, `QUEUE ${ID}\r\n`]) {
    t.equal(parseQueueCallback(line), ID);
  }
});

t.test('anything else is no call', async t => {
  for (const line of [
    'QUEUE \r\n',
    `QUEUE ${ID.slice(1)} 5.5.1.1:6346\r\n`,
    `QUEUE ${ID}0 5.5.1.1:6346\r\n`,
    `GIV 0:${ID}/file\n\n`,
    `QUEUE ${ID} 5.5.1.1:6346\r\nGET / HTTP/1.1\r\n\r\n`,
  ])
    t.throws(() => parseQueueCallback(line), { code: 'HTTP_MALFORMED' }, line);
});
