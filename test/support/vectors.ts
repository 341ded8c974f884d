// Messages of test/fixtures/vectors/vectors.json by name.
import { HEADER_BYTES } from '../../protocol/constants.ts';
import { readFixture } from './fixtures.ts';

const { messages } = readFixture<{ messages: { name: string; hex: string; length: number }[] }>('vectors/vectors.json');

/** Header and payload. */
export function vectorMessage(name: string): Buffer {
  const message = messages.find(candidate => candidate.name === name);
  if (message === undefined) throw new Error(`no vector called ${name}`);
  return Buffer.from(message.hex, 'hex');
}

/** The payload, once the length in the header (and the type, when given) is what it should be. */
export function vectorPayload(name: string, type?: number): Buffer {
  const bytes = vectorMessage(name);
  if ((type !== undefined && bytes[16] !== type) || bytes.readUInt32LE(19) !== bytes.length - HEADER_BYTES)
    throw new Error(`${name}: header`);
  return bytes.subarray(HEADER_BYTES);
}
