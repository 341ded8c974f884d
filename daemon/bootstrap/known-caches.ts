// Lists the caches to start with: the published ones of conf/bootstrap.json and those of the settings.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFolder } from '../../api/version.ts';
import { type CachesToAsk, NO_CACHES } from '../../protocol/bootstrap/bootstrap.ts';
import type { ResolvedSettings } from '../../settings/settings.ts';
import { listOf, textUpTo } from '../../settings/shape.ts';

export interface KnownCaches {
  /** HOST:PORT. */
  udp: string[];
  /** URLs. */
  web: string[];
}

const CACHES_MAX = 1000;
const caches = listOf(textUpTo(Number.POSITIVE_INFINITY), 0, CACHES_MAX);

/** Reads conf/bootstrap.json. Rejects when it is missing or malformed. */
export async function wellKnownCaches(path = join(packageFolder, 'conf', 'bootstrap.json')): Promise<KnownCaches> {
  const { udpHostCaches: udp, gwebCaches: web } = JSON.parse(await readFile(path, 'utf8'));
  if (!caches(udp) || !caches(web))
    throw new TypeError(`${path} must have the string lists udpHostCaches and gwebCaches`);
  return { udp, web };
}

/** Splits the setting `bootstrap.caches`, which is validated, by kind. */
export function ownCaches(addresses: readonly string[]): KnownCaches {
  const uhc = 'uhc:';
  return {
    udp: addresses.filter(address => address.startsWith(uhc)).map(address => address.slice(uhc.length)),
    web: addresses.filter(address => !address.startsWith(uhc)),
  };
}

/** Published caches only in profile `public`; none when bootstrapping is switched off by the user. */
export async function cachesToAsk({ settings, origins }: ResolvedSettings): Promise<CachesToAsk> {
  const { enabled, caches } = settings.bootstrap;
  if (!enabled && origins['bootstrap.enabled'].kind !== 'profile') return NO_CACHES;
  const own = ownCaches(caches);
  const wellKnown = enabled && settings.profile === 'public' ? await wellKnownCaches() : { udp: [], web: [] };
  return { udp: { own: own.udp, wellKnown: wellKnown.udp }, web: { own: own.web, wellKnown: wellKnown.web } };
}
