import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { readAddressFile } from '../../../daemon/net/address-file.ts';
import { readBlockLists } from '../../../daemon/net/block-lists.ts';
import { BLOCK_SOURCES_MAX, BlockList } from '../../../protocol/wire/block-list.ts';

t.test('lists are read, read again when they change, and stay in force when they cannot be', async t => {
  const path = join(t.testdir({ list: '10.1.0.0/16\n' }), 'list');
  const list = new BlockList();
  const files = { block: ['192.0.2.0/24', '::1'], files: [path] };
  const first = await readBlockLists(files, list, silentLog);
  t.equal(list.blockedBy('10.1.2.3'), path);
  t.equal(list.blockedBy('192.0.2.9'), 'settings');
  t.equal(list.blockedBy('::1'), 'settings');
  t.strictSame(first.faults, []);
  await writeFile(path, '10.2.0.0/16\n');
  let last = await readBlockLists(files, list, silentLog, first.sources);
  t.strictSame([list.blocks('10.1.2.3'), list.blocks('10.2.2.3')], [false, true]);
  const ruins = [Buffer.from('<html>\n<body>\nnot found\n10.9.0.0/16\n'), Buffer.from([0x1f, 0x8b, 8, 0, 1, 2]), null];
  for (const ruin of ruins) {
    await (ruin === null ? rm(path) : writeFile(path, ruin));
    last = await readBlockLists(files, list, silentLog, last.sources);
    t.equal(list.blocks('10.2.2.3'), true);
    t.match(last.faults, [{ path, detail: /: in force are 1 range of it$/ }]);
  }
});

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');

/** What lists look like as they are handed on. */
const READABLE: Record<string, Buffer> = {
  'a mark of UTF-8': Buffer.from('\ufeff203.0.113.0/24\n'),
  'UTF-16 with its mark': utf16('\ufeff203.0.113.0/24\r\n'),
  'UTF-16, the other byte first': utf16('\ufeff203.0.113.0/24\r\n').swap16(),
  'UTF-16 without a mark': utf16('203.0.113.0/24\r\n'),
  'UTF-16 without a mark, the other byte first': utf16('203.0.113.0/24\r\n').swap16(),
  gzip: gzipSync('Home:203.0.113.0-203.0.113.255\n'),
  'gzip in two pieces': Buffer.concat([gzipSync('# a head\n'), gzipSync('203.0.113.0/24\n')]),
  'gzip of UTF-16': gzipSync(utf16('\ufeff203.0.113.0/24\r\n')),
};

for (const [name, bytes] of Object.entries(READABLE)) {
  t.test(`a block list with ${name} blocks who is in it`, async t => {
    const path = join(t.testdir({ list: bytes }), 'list');
    const list = new BlockList();
    const { faults } = await readBlockLists({ block: [], files: [path] }, list, silentLog);
    t.strictSame(faults, []);
    t.equal(list.blocks('203.0.113.9'), true);
    t.equal(list.blocks('198.51.100.9'), false);
  });
}

const UNREADABLE: Record<string, [bytes: Buffer | null, detail: RegExp]> = {
  'that is missing': [null, /could not be read \(ENOENT.*: it blocks nobody/],
  'of a web page': [
    Buffer.from('<html>\n<p>Not found</p>\n'),
    /has 2 lines, of which 0 are understood: it blocks nobody/,
  ],
  'that is a damaged gzip file': [gzipSync('203.0.113.0/24\n').subarray(0, 20), /damaged gzip.*blocks nobody/],
  'that is a zip archive': [Buffer.from('PK\x03\x04\x00\x00\nrubbish'), /0 are understood: it blocks nobody/],
  'that is empty': [Buffer.alloc(0), /has nothing in it: it blocks nobody/],
  'of which little is understood': [
    Buffer.from('203.0.113.0/24\none\ntwo\n'),
    /has 3 lines, of which 1 are understood: in force are 1 range of it/,
  ],
};

for (const [name, [bytes, detail]] of Object.entries(UNREADABLE)) {
  t.test(`a block list ${name} is said to be a fault`, async t => {
    const path = join(t.testdir(bytes === null ? {} : { list: bytes }), 'list');
    const said: string[] = [];
    const log = Object.assign(Object.create(silentLog), { warn: (_: object, text: string) => said.push(text) });
    const { faults } = await readBlockLists({ block: [], files: [path] }, new BlockList(), log);
    t.match(faults, [{ path, detail }]);
    t.match(said, [detail], 'and a warning');
  });
}

t.test('a file that unpacks to more than it may is refused', async t => {
  const path = join(t.testdir({ bomb: gzipSync(Buffer.alloc(1 << 20)) }), 'bomb');
  await t.rejects(readAddressFile(path, 1 << 19), { message: /unpacks to more than 524288 bytes/ });
  await t.rejects(readAddressFile(path, 100), { message: /more than the 100 that are read/ });
});

t.test('more lists than are searched are said to be left out', async t => {
  const names = Array.from({ length: BLOCK_SOURCES_MAX + 1 }, (_, i) => `list${i}`);
  const folder = t.testdir(Object.fromEntries(names.map((name, i) => [name, `10.${i}.0.0/16\n`])));
  const files = names.map(name => join(folder, name));
  const { faults } = await readBlockLists({ block: [], files }, new BlockList(), silentLog);
  t.match(faults, [{ path: files.at(-1), detail: /one list too many/ }]);
});

t.test('a pipe that nobody writes to, a device and a folder are refused at once', async t => {
  const folder = t.testdir({});
  const pipe = join(folder, 'list');
  await promisify(execFile)('mkfifo', [pipe]);
  await t.rejects(readAddressFile(pipe, 100), { message: /^it is a pipe or a device/ });
  await t.rejects(readAddressFile('/dev/zero', 100), { message: /^it is a pipe or a device/ });
  await t.rejects(readAddressFile(folder, 100), { message: 'it is a folder' });
});

t.test(
  'no more of a file is read than its bound, whatever size it claims',
  { skip: process.platform !== 'linux' },
  async t => {
    await t.rejects(readAddressFile('/proc/self/status', 10), { message: /more than the 10 that are read/ });
  },
);
