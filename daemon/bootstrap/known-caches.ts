// The caches to begin with: the published ones of conf/bootstrap.json, and a person's own.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { packageFolder } from '../version.ts';

export interface KnownCaches {
  /** HOST:PORT. */
  udp: string[];
  /** URLs. */
  web: string[];
}

const schema = z.object({
  udpHostCaches: z.array(z.string()).max(1000),
  gwebCaches: z.array(z.string()).max(1000),
});

/** Rejects when the file is missing or not as it should be. */
export async function wellKnownCaches(path = join(packageFolder, 'conf', 'bootstrap.json')): Promise<KnownCaches> {
  const { udpHostCaches, gwebCaches } = schema.parse(JSON.parse(await readFile(path, 'utf8')));
  return { udp: udpHostCaches, web: gwebCaches };
}

/** Of the setting `bootstrap.caches`, checked already. */
export function ownCaches(addresses: readonly string[]): KnownCaches {
  const uhc = 'uhc:';
  return {
    udp: addresses.filter(address => address.startsWith(uhc)).map(address => address.slice(uhc.length)),
    web: addresses.filter(address => !address.startsWith(uhc)),
  };
}
