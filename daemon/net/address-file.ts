// Reads address list files: plain or gzip, in any single-byte encoding or UTF-16, with or without a byte order mark.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

const unpack = promisify(gunzip);

/** Reads a file as Latin-1 or UTF-16; addresses are ASCII in every encoding. Rejects with an error that says what is wrong with the file. */
export async function readAddressFile(path: string, bytesMax: number): Promise<string> {
  const bytes = await readWhole(path, bytesMax);
  return textOf(isGzip(bytes) ? await unpacked(bytes, bytesMax) : bytes);
}

/** Opens without blocking: opening a pipe without a writer would block the start. */
async function readWhole(path: string, bytesMax: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (stats.isDirectory()) throw new Error('it is a folder');
    if (!stats.isFile()) throw new Error('it is a pipe or a device: save its content as a file');
    if (stats.size > bytesMax) throw tooLong(stats.size, bytesMax);
    return await readBounded(file, bytesMax);
  } finally {
    await file.close();
  }
}

/** Bounds the bytes read, not the size reported: files may grow, and those of /proc report 0. */
async function readBounded(file: FileHandle, bytesMax: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of file.createReadStream({ autoClose: false })) {
    parts.push(part);
    bytes += part.length;
    if (bytes > bytesMax) throw tooLong(bytes, bytesMax);
  }
  return Buffer.concat(parts, bytes);
}

function tooLong(bytes: number, bytesMax: number): Error {
  return new RangeError(`it has ${bytes} bytes, more than the ${bytesMax} that are read`);
}

function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

async function unpacked(bytes: Buffer, bytesMax: number): Promise<Buffer> {
  try {
    return await unpack(bytes, { maxOutputLength: bytesMax });
  } catch (cause) {
    const tooLarge = cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE';
    const why = tooLarge ? `it unpacks to more than ${bytesMax} bytes` : 'it is a damaged gzip file';
    throw new Error(why, { cause });
  }
}

function textOf(bytes: Buffer): string {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return bytes.toString('latin1', 3);
  if (first === 0xff && second === 0xfe) return bytes.toString('utf16le', 2);
  if (first === 0xfe && second === 0xff) return bigEndian(bytes.subarray(2));
  // Without a mark: in UTF-16 one byte of the first character is zero.
  if (first !== 0 && second === 0) return bytes.toString('utf16le');
  return first === 0 && second !== 0 ? bigEndian(bytes) : bytes.toString('latin1');
}

/** Swaps the bytes in place. */
function bigEndian(bytes: Buffer): string {
  return bytes
    .subarray(0, bytes.length & ~1)
    .swap16()
    .toString('utf16le');
}
