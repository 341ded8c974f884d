// Samples of everything on the list of what is never shared.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { NeverSharedList } from '../../settings/never-shared.ts';

/** A name that the pattern fits. */
export const sampleOf = (name: string): string => name.replaceAll('*', 'x');

/** One for each text among the first bytes of the list, in its order; Latin-1. */
export const secretTexts = [
  '# a key\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl',
  '---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n',
  '#\n-----BEGIN OpenVPN Static key V1-----\n',
  'PuTTY-User-Key-File-3: ssh-ed25519\n',
  'SSH PRIVATE KEY FILE FORMAT 1.1\n\0',
  'untrusted comment: minisign encrypted secret key\n',
  '# created: today\nAGE-SECRET-KEY-1QQ',
  `[Interface]\nPrivateKey = ${'A'.repeat(43)}=\n`,
  '{"kty": "EC", "crv": "P-256", "d": "AA"}',
  'PWS3\x01\x02',
  'kych\0\x01',
  'GnomeKeyring\n\r\0\n',
  'KWALLET\n\r\0\r\n',
  '$ANSIBLE_VAULT;1.1;AES256\n',
  '\xef\xbb\xbfname,url,username,password\n',
  'Title,Url,Username,Password,Notes\n',
  'folder,favorite,type,name,notes,fields,login_uri\n',
  '{\n  "encrypted": false,\n  "folders": []}',
  '<?xml version="1.0" encoding="utf-8"?>\n<KeePassFile>',
  '{"address":"a","crypto":{"cipher":"aes-128-ctr","ciphertext":"00"}}',
  '{"keystore": {}, "seed_version": 17}',
  'mozLz40\0\x10',
  'From someone@example.com Mon Jan  1 00:00:00 2024\n',
  'Return-Path: <someone@example.com>\n',
  'SQLite format 3\0',
  '--\n-- PostgreSQL database dump\n',
  'PGDMP\x01\x0e',
  '[core]\n\trepositoryformatversion = 0\n',
  'machine example.com\n  login me\n  password secret\n',
  'AWS_SECRET_ACCESS_KEY=x\n',
  `users:\n- user:\n    client-key-data: ${'A'.repeat(40)}\n`,
  '//registry.example.com/:_authToken=x\n',
  '{\n\t"auths": {}}',
  "<?php define( 'DB_PASSWORD', 'x' );",
  'root:$6$x:19000:0:99999:7:::\n',
];

export interface SecretSample {
  /** Of the file, below the folder that it is written to. */
  readonly path: string;
  /** What is left out: the file itself, or the folder that it lies in. */
  readonly leftOut: string;
  readonly rule: string;
  readonly bytes: Buffer;
}

/** One file for each name, folder and kind of first bytes of the list, each in a folder of its own. */
export function secretSamples({ names, folders, firstBytes }: NeverSharedList): SecretSample[] {
  const samples: SecretSample[] = [];
  const add = (rule: string, below: string, file: string, text: string | Buffer): void => {
    const place = `d${samples.length}`;
    const path = join(place, below, file);
    const bytes = Buffer.isBuffer(text) ? text : Buffer.from(`${text} ${samples.length}`, 'latin1');
    samples.push({ path, leftOut: below === '' ? path : join(place, below), rule, bytes });
  };
  for (const row of names) for (const name of row.names) add(row.rule, '', sampleOf(name), 'named');
  for (const row of folders) for (const name of row.names) add(row.rule, sampleOf(name), 'inside.txt', 'inside');
  const texts = [...secretTexts];
  for (const { rule, hex, at = 0 } of firstBytes) {
    const bytes = Buffer.from(`${'00'.repeat(at)}${hex?.replaceAll('??', 'e9') ?? ''}${'00'.repeat(20)}`, 'hex');
    add(rule, '', `disguised ${samples.length}.txt`, hex === undefined ? (texts.shift() ?? '') : bytes);
  }
  return samples;
}

export function writeSamples(folder: string, samples: readonly SecretSample[]): void {
  for (const { path, bytes } of samples) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
}
