// Makes a key and a self-signed certificate at each start. Gnutella servents do not check certificates.
import { generateKeyPairSync, getDiffieHellman, sign } from 'node:crypto';

/** All PEM, ready for a secure context. */
export interface OwnCertificate {
  readonly key: string;
  readonly cert: string;
  /** Parameters for anonymous Diffie-Hellman, which LimeWire wants: the 2048-bit group of RFC 3526. */
  readonly dhparam: string;
}

const Tag = {
  Integer: 0x02,
  BitString: 0x03,
  Oid: 0x06,
  Utf8: 0x0c,
  UtcTime: 0x17,
  Sequence: 0x30,
  Set: 0x31,
} as const;
const ECDSA_WITH_SHA256 = '2a8648ce3d040302';
const COMMON_NAME = '550403';
/** Subject name; identifies nobody. */
const NAME = 'servent';
/** Wide validity, because clocks of peers may be wrong. */
const [NOT_BEFORE, NOT_AFTER] = ['200101000000Z', '491231235959Z'];

/** P-256, X.509 version 1: about a millisecond. */
export function makeCertificate(): OwnCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(Tag.Sequence, oid(ECDSA_WITH_SHA256));
  const name = der(Tag.Sequence, der(Tag.Set, der(Tag.Sequence, oid(COMMON_NAME), der(Tag.Utf8, text(NAME)))));
  const validity = der(Tag.Sequence, der(Tag.UtcTime, text(NOT_BEFORE)), der(Tag.UtcTime, text(NOT_AFTER)));
  const serial = der(Tag.Integer, Buffer.of(1));
  const subjectKey = publicKey.export({ type: 'spki', format: 'der' });
  const body = der(Tag.Sequence, serial, algorithm, name, validity, name, subjectKey);
  const signature = sign('sha256', body, privateKey);
  const certificate = der(Tag.Sequence, body, algorithm, der(Tag.BitString, Buffer.of(0), signature));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: pem('CERTIFICATE', certificate),
    dhparam: pem('DH PARAMETERS', diffieHellman()),
  };
}

function diffieHellman(): Buffer {
  const group = getDiffieHellman('modp14');
  return der(Tag.Sequence, positive(group.getPrime()), positive(group.getGenerator()));
}

function positive(number: Buffer): Buffer {
  return (number[0] ?? 0) < 0x80 ? der(Tag.Integer, number) : der(Tag.Integer, Buffer.of(0), number);
}

function oid(hex: string): Buffer {
  return der(Tag.Oid, Buffer.from(hex, 'hex'));
}

function text(ascii: string): Buffer {
  return Buffer.from(ascii, 'latin1');
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  if (length < 0x100) return Buffer.concat([Buffer.of(tag, 0x81, length), content]);
  return Buffer.concat([Buffer.of(tag, 0x82, length >> 8, length & 0xff), content]);
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
