// Vectors of the DHT in test/fixtures/vectors/transfer-vectors.json.
import { readFixture } from './fixtures.ts';

interface DhtVectors {
  muid: string;
  kuid_A: string;
  kuid_B: string;
  contact_A_hex: string;
  contact_B_hex: string;
  key: string;
  messages: { desc: string; hex: string; bytes: number }[];
  aloc_value_hex: string;
  prox_value_hex: string;
  nope_value_hex: string;
  kuid_from_urn: { urn: string; kuid: string };
  kuid_from_guid: { guid: string; kuid: string };
  xor: { a: string; b: string; distance: string };
}

export const dhtVectors = readFixture<{ dht: DhtVectors }>('vectors/transfer-vectors.json').dht;

/** The datagram whose description begins so. */
export function dhtVector(description: string): Buffer {
  const found = dhtVectors.messages.find(({ desc }) => desc.startsWith(description));
  if (found === undefined || found.hex.length !== 2 * found.bytes) throw new Error(`no vector ${description}`);
  return Buffer.from(found.hex, 'hex');
}
