import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { parseThexUri, thexTarget } from '../../../../protocol/transfer/downloads/thex-uri.ts';
import { formatBase32 } from '../../../../protocol/wire/urn.ts';

const sha1 = Buffer.alloc(20, 1);
const root = Buffer.alloc(24, 2);
const digits = formatBase32(root);

t.test('X-Thex-URI names a path on the same host and a root', async t => {
  const target = '/uri-res/N2X?urn:sha1:PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB';
  t.strictSame(parseThexUri(`${target};${digits}`), { target, root });
  t.strictSame(parseThexUri(` ${target} ; ${digits.toLowerCase()} `), { target, root });
  t.strictSame(parseThexUri(`/a;b;${digits}`), { target: '/a;b', root }, 'a path may have semicolons');
});

t.test('other hosts, paths that are none and bad roots are refused', async t => {
  const refused = [
    '',
    digits,
    `/tree`,
    `/tree;`,
    `;${digits}`,
    `tree;${digits}`,
    `//10.0.0.1/tree;${digits}`,
    `http://10.0.0.1/tree;${digits}`,
    `/tree;${digits}A`,
    `/tree;${digits.slice(1)}`,
    `/tree;1${digits.slice(1)}`,
    `/a b;${digits}`,
    `/a\r\nX: y;${digits}`,
    `/é;${digits}`,
    `/${'a'.repeat(600)};${digits}`,
  ];
  for (const text of refused) t.equal(parseThexUri(text), null, text.slice(0, 60));
});

t.test('what servents send of their own files is read again, and no text throws', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 24, maxLength: 24 }), bytes => {
      const told = Buffer.from(bytes);
      assert.deepEqual(parseThexUri(`${thexTarget(sha1, null)};${formatBase32(told)}`), {
        target: thexTarget(sha1, null),
        root: told,
      });
      assert.equal(thexTarget(sha1, told), `${thexTarget(sha1, null)};${formatBase32(told)}`);
    }),
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 700 }), text => {
      const read = parseThexUri(`/${text};${digits}`);
      assert.ok(read === null || /^\/[\x21-\x7e]*$/.test(read.target));
    }),
  );
});
