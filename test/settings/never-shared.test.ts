// The list of what is never shared: each row against a sample of it, and what looks alike and is shared.
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { bytesToJudge, FirstBytes, HEAD_BYTES } from '../../daemon/library/first-bytes.ts';
import { folderRefusal } from '../../settings/folder-refusal.ts';
import { NeverShared, neverShared } from '../../settings/never-shared.ts';
import { sampleOf, secretTexts } from '../support/secret-samples.ts';

const never = neverShared();
const { list } = never;
const firstBytes = new FirstBytes(list.firstBytes);

t.test('each name on the list is left out, by its rule, in capitals too', t => {
  for (const { rule, reason, names } of list.names)
    for (const name of names.map(sampleOf)) {
      t.strictSame(never.file(name), { rule, reason }, name);
      t.equal(never.file(name.toUpperCase())?.rule, rule, name);
    }
  for (const { rule, reason, names } of list.folders)
    for (const name of names.map(sampleOf)) t.strictSame(never.folder(name), { rule, reason }, name);
  t.end();
});

t.test('a copy of a secret under the name that programs and people give to copies is left out', t => {
  for (const [name, rule] of [
    ['wallet.dat.old', 'wallet'],
    ['wallet.dat.bak', 'wallet'],
    ['wallet (1).dat.old', 'wallet'],
    ['wallet-2024.dat', 'wallet'],
    ['wallet.dat (1)', 'wallet'],
    ['wallet.dat.backup-2024', 'wallet'],
    ['WALLET.DAT.OLD', 'wallet'],
    ['id_rsa_work', 'private-key'],
    ['id_ed25519-github', 'private-key'],
    ['id_rsa.old', 'private-key'],
    ['id_rsa~', 'private-key'],
    ['passwords.kdbx.bak', 'password-store'],
    ['passwords.kdbx.zip', 'password-store'],
    ['wallet.dat.gz', 'wallet'],
    ['passwords.kdbx.old', 'password-store'],
    ['Passwords.kdbx - Copy', 'password-store'],
    ['logins.json.1', 'password-store'],
    ['cookies.sqlite.bak', 'browser-profile'],
    ['.env~', 'secret-settings'],
    ['shadow.bak', 'secret-settings'],
  ] as const)
    t.equal(never.file(name)?.rule ?? null, rule, name);
  for (const { rule, names } of list.names)
    for (const name of names.map(sampleOf))
      for (const ending of list.copyEndings.map(sampleOf))
        t.equal(never.file(name + ending)?.rule, rule, name + ending);
  t.end();
});

t.test('names that look alike are shared', t => {
  for (const name of [
    'id_rsa.pub',
    'slides.key',
    'chain.pem',
    'environment.txt',
    'wallet.dat.txt',
    'shadow.mp3',
    'a.ovp',
    'id_rsa_work.pub',
    'id_ed25519-github.pub.bak',
    'id_rsa-explained.pdf',
    'id_rsanna.ogg',
    'old wallet.data',
    'passwords.kdbx.torrent',
    'song.old.mp3',
    'song (1).ogg',
    'mail.bak',
    'shadow of the old.ogg',
  ])
    t.equal(never.file(name), null, name);
  for (const name of ['ssh', 'git', 'Mail', 'my.ssh', 'chromium source']) t.equal(never.folder(name), null, name);
  t.end();
});

t.test('each kind of first bytes on the list is known by its rule', t => {
  const rows = list.firstBytes.filter(({ text }) => text !== undefined);
  t.equal(secretTexts.length, rows.length, 'a sample for each text');
  for (const [i, { rule, text }] of rows.entries()) {
    const sample = secretTexts[i] ?? '';
    t.match(sample, new RegExp(text ?? ''));
    t.equal(firstBytes.ruleFor(Buffer.from(sample, 'latin1')), rule, text ?? '');
  }
  for (const { rule, hex = '', at = 0 } of list.firstBytes.filter(({ hex }) => hex !== undefined)) {
    const bytes = Buffer.from(`${'00'.repeat(at)}${hex.replaceAll('??', 'e9')}`, 'hex');
    t.equal(firstBytes.ruleFor(Buffer.concat([bytes, Buffer.alloc(20)])), rule, hex);
    t.equal(firstBytes.ruleFor(bytes.subarray(0, -1)), null, `${hex}, cut`);
  }
  for (const kind of ['', 'RSA ', 'DSA ', 'EC ', 'ENCRYPTED '])
    t.equal(firstBytes.ruleFor(Buffer.from(`-----BEGIN ${kind}PRIVATE KEY-----`)), 'private-key', kind);
  t.equal(firstBytes.ruleFor(Buffer.from('-----BEGIN PGP PRIVATE KEY BLOCK-----')), 'private-key');
  const windows = Buffer.from('\ufeffGreetings\r\n-----BEGIN PRIVATE KEY-----\r\n', 'utf16le');
  t.equal(firstBytes.ruleFor(windows), 'private-key', 'as Windows writes it');
  const text = '-----BEGIN PRIVATE KEY-----\r\n';
  for (const mark of ['', '\ufeff']) {
    t.equal(firstBytes.ruleFor(Buffer.from(mark + text, 'utf16le')), 'private-key', `${mark.length} marks`);
    t.equal(firstBytes.ruleFor(Buffer.from(mark + text, 'utf16le').swap16()), 'private-key', 'the other byte first');
  }
  t.equal(firstBytes.ruleFor(Buffer.from('\ufeffPuTTY-User-Key-File-3: ssh-ed25519', 'utf16le')), 'private-key');
  const far = Buffer.from(`${' '.repeat(HEAD_BYTES - 30)}-----BEGIN PRIVATE KEY-----`);
  t.equal(firstBytes.ruleFor(far), 'private-key', 'at the end of what is looked at for every rule');
  for (const blanks of [HEAD_BYTES - 10, HEAD_BYTES, 900_000]) {
    const deep = Buffer.from(`${' '.repeat(blanks)}-----BEGIN RSA PRIVATE KEY-----\n`);
    t.equal(firstBytes.ruleFor(deep), 'private-key', `behind ${blanks} bytes`);
    t.equal(firstBytes.ruleFor(Buffer.from(`${' '.repeat(blanks)}a PRIVATE KEY-----\n`)), null);
  }
  const binary = Buffer.from(`\0${' '.repeat(HEAD_BYTES)}-----BEGIN PRIVATE KEY-----\n`);
  t.equal(firstBytes.ruleFor(binary), null, 'what is no text is looked at no further');
  t.strictSame([bytesToJudge(1 << 20), bytesToJudge((1 << 20) + 1)], [1 << 20, HEAD_BYTES]);
  t.end();
});

t.test('keys as programs write them in DER are known, whatever their kind and length', t => {
  const rsa = (bits: number) => generateKeyPairSync('rsa', { modulusLength: bits }).privateKey;
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey;
  const cipher = { cipher: 'aes-256-cbc', passphrase: 'x' };
  const keys = {
    'RSA 1024': rsa(1024).export({ type: 'pkcs1', format: 'der' }),
    'RSA 2048': rsa(2048).export({ type: 'pkcs1', format: 'der' }),
    'RSA 2048, PKCS 8': rsa(2048).export({ type: 'pkcs8', format: 'der' }),
    'RSA 2048, encrypted': rsa(2048).export({ type: 'pkcs8', format: 'der', ...cipher }),
    'P-256': ec('P-256').export({ type: 'sec1', format: 'der' }),
    'P-384': ec('P-384').export({ type: 'sec1', format: 'der' }),
    'P-521': ec('P-521').export({ type: 'sec1', format: 'der' }),
    'P-256, encrypted': ec('P-256').export({ type: 'pkcs8', format: 'der', ...cipher }),
    ed25519: generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' }),
    ed448: generateKeyPairSync('ed448').privateKey.export({ type: 'pkcs8', format: 'der' }),
  };
  for (const [kind, der] of Object.entries(keys)) t.equal(firstBytes.ruleFor(der), 'private-key', kind);
  for (const type of ['pkcs1', 'spki'] as const) {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    t.equal(firstBytes.ruleFor(publicKey.export({ type, format: 'der' })), null, `public, ${type}`);
  }
  t.end();
});

t.test('what begins like music, pictures, texts and public keys is shared', t => {
  const harmless = [
    'ID3\x04\0\0\0\0\0\0',
    'fLaC\0\0\0\x22',
    'OggS\0\x02',
    '\x89PNG\r\n\x1a\n',
    '\xff\xd8\xff\xe0\0\x10JFIF',
    '%PDF-1.7\n',
    'PK\x03\x04\x14\0',
    '-----BEGIN CERTIFICATE-----\nMIID',
    '-----BEGIN PUBLIC KEY-----\nMIIB',
    '-----BEGIN PGP PUBLIC KEY BLOCK-----\n',
    '-----BEGIN PGP SIGNED MESSAGE-----\n',
    'ssh-ed25519 AAAAC3 me@example.com\n',
    'Keep your PRIVATE KEY to yourself.\n',
    'From the desk of the editor\n',
    '[core]\nname = x\n',
    'root of the matter',
    '{"name": "x", "version": "1"}',
    '',
  ];
  for (const text of harmless) t.equal(firstBytes.ruleFor(Buffer.from(text, 'latin1')), null, JSON.stringify(text));
  t.end();
});

t.test('another list has another stamp', t => {
  t.not(new FirstBytes(list.firstBytes.slice(1)).stamp, firstBytes.stamp);
  t.equal(new FirstBytes(list.firstBytes).stamp, firstBytes.stamp);
  t.equal(new FirstBytes([]).ruleFor(Buffer.from('-----BEGIN PRIVATE KEY-----')), null);
  t.end();
});

t.test("places of the system and homes are refused, folders in them that are nobody else's are not", t => {
  const homes = ['/home/ada', '/srv/people/bob', '/root'];
  for (const { path, below, reason } of list.places) {
    t.equal(never.refusal(path, homes), reason, path);
    if (below === true) t.equal(never.refusal(`${path}/deep/er`, homes), reason, path);
  }
  const refused: [string, RegExp][] = [
    ['/home/ada', /home folder/],
    ['/home/nobody-knows', /home folder/],
    ['/Users/eve', /home folder/],
    ['/srv/people/bob', /home folder/],
    ['/srv/people', /the home folder \/srv\/people\/bob lies in it/],
    ['/srv', /lies in it/],
    ['/home/ada/.ssh', /\.ssh holds keys/],
    ['/home/ada/.mozilla/firefox/x', /\.mozilla holds state of a browser/],
    ['/mnt/old/.gnupg/private', /\.gnupg/],
    ['C:\\Windows\\System32', /system/],
    ['C:\\', /whole system/],
    ['/dev/shm/x', /devices/],
  ];
  for (const [path, reason] of refused) t.match(never.refusal(path, homes), reason, path);
  const open = [
    '/home/ada/Music',
    '/srv/music',
    '/mnt/disk',
    '/media/ada/USB',
    '/run/media/ada/USB',
    '/data',
    '/tmp/1',
    '/etcetera',
    '/var/lib/servent/shared',
    '/home/ada/.local/share/servent/shared',
    '/usr/src/app/shared',
    'D:\\Music',
  ];
  for (const path of open) t.equal(never.refusal(path, homes), null, path);
  t.end();
});

t.test(
  'a folder is refused for what it is, wherever a link or a mount leads to it',
  { skip: process.platform !== 'linux' },
  async t => {
    const root = t.testdir({ music: { 'a.ogg': 'a' }, chroot: { etc: { passwd: 'root' } }, moved: { '.bashrc': '' } });
    t.equal(await folderRefusal(join(root, 'music')), null);
    symlinkSync('/etc', join(root, 'innocent'));
    t.match(
      await folderRefusal(join(root, 'innocent')),
      /innocent \(\/etc\) is not shared: .*passwords.* Share a folder that holds only public files.*--force/,
    );
    t.match(await folderRefusal(join(root, 'innocent', 'not-there-yet')), /\/etc\/not-there-yet/);
    for (const path of ['/', '/home', homedir(), '/etc', join(root, 'moved')]) {
      t.match(await folderRefusal(path), / is not shared: .*with --force/, path);
      t.equal(await folderRefusal(path, { force: true }), null, path);
    }
    for (const path of ['/proc', '/proc/self', '/sys', '/dev', join(homedir(), '.ssh')])
      for (const force of [false, true])
        t.match(await folderRefusal(path, { force }), / is never shared: (?!.*--force)/, path);
    t.equal(await folderRefusal(join(root, 'moved'), { signs: false }), null);
    t.match(await folderRefusal(join(root, 'chroot')), /a whole system lies in it \(it has etc\/passwd\)/);
    t.match(await folderRefusal(join(root, 'moved')), /it is a home folder \(it has \.bashrc\)/);
    const pathless = new NeverShared({ ...list, places: [] });
    t.match(await folderRefusal('/proc/self', { list: pathless }), /running programs, not files/, 'by its file system');
    symlinkSync(join(root, 'music'), join(root, 'settings'));
    const place = { path: join(root, 'settings'), below: true, reason: 'settings lie in it' };
    const twice = new NeverShared({ ...list, places: [place] });
    for (const path of [join(root, 'music'), join(root, 'music', 'not-there')])
      t.match(
        await folderRefusal(path, { list: twice }),
        /settings lie in it/,
        'one folder of two names, as a second mount of it',
      );
    mkdirSync(join(root, 'music', 'deep'));
    writeFileSync(join(root, 'music', 'deep', 'b'), 'b');
    t.equal(await folderRefusal(join(root, 'music', 'deep', 'not-there')), null);
  },
);
