import t from 'tap';
import { StoreCode, storeCodeName } from '../../../protocol/dht/store-status.ts';

t.test('codes have names that differ, unknown ones their number', async t => {
  const codes = Object.values(StoreCode);
  t.strictSame(
    codes,
    codes.map((_, i) => i + 1),
    'as gtk-gnutella counts',
  );
  t.equal(new Set(codes.map(storeCodeName)).size, codes.length);
  t.equal(storeCodeName(StoreCode.BadToken), 'token invalid');
  for (const code of [0, 16, 65_535]) t.equal(storeCodeName(code), `status ${code}`);
});
