// A GWebCache (server): query string in, text out. Implements specification 1 and 2.
import { type Endpoint, endpointOrNull, formatEndpoint, reachOf } from '../wire/endpoint.ts';
import { canonicalCacheUrl } from './gwebcache-answer.ts';

export interface GwebCacheRules {
  network: string;
  /** `Servent 0.1`: name and version. */
  name: string;
  hostLifeMs: number;
  /** Between two updates from one address. */
  updateLockMs: number;
  /** Private network behind one address: accept hosts for others and from private ranges. */
  lab: boolean;
}

/** Rules of a public cache; the lock is GhostWhiteCrab's. */
export const PUBLIC_CACHE_RULES: Omit<GwebCacheRules, 'network' | 'name'> = {
  hostLifeMs: 20 * 60_000,
  updateLockMs: 10 * 60_000,
  lab: false,
};

/** Rules of a private network's own cache. */
export const PRIVATE_CACHE_RULES: Omit<GwebCacheRules, 'network' | 'name'> = {
  hostLifeMs: 20 * 60_000,
  updateLockMs: 0,
  lab: true,
};

const HOSTS_MAX = 10_000;
const URLS_MAX = 200;
const LOCKS_MAX = 10_000;
const HOSTS_SENT = 20;
const URLS_SENT = 10;

export class GwebCache {
  readonly #rules: GwebCacheRules;
  // oldest first, as a renewed entry moves to the end; at most HOSTS_MAX
  readonly #hosts = new Map<string, { endpoint: Endpoint; ultrapeer: boolean; at: number }>();
  readonly #urls = new Map<string, number>();
  readonly #updatedAt = new Map<string, number>();
  /** Requests by outcome. */
  readonly counters = { reads: 0, updates: 0, pings: 0, refused: 0 };

  constructor(rules: GwebCacheRules) {
    this.#rules = rules;
  }

  /** Ultrapeers, newest first; leaves only while no ultrapeer is known. */
  hosts(now: number, limit = HOSTS_SENT): Endpoint[] {
    this.#expire(now);
    const all = [...this.#hosts.values()].reverse();
    const ultrapeers = all.filter(({ ultrapeer }) => ultrapeer);
    return (ultrapeers.length > 0 ? ultrapeers : all).slice(0, limit).map(({ endpoint }) => endpoint);
  }

  /** Whether the host is listed and in the first half of its life. */
  has(endpoint: Endpoint, now: number): boolean {
    const host = this.#hosts.get(formatEndpoint(endpoint));
    return host !== undefined && now - host.at < this.#rules.hostLifeMs / 2;
  }

  /** Adds or renews a host. False for an unusable address. */
  add(endpoint: Endpoint, now: number, ultrapeer = true): boolean {
    if (endpoint.port === 0) return false;
    const reach = reachOf(endpoint.host);
    if (reach === 'unusable' || (reach !== 'public' && !this.#rules.lab)) return false;
    renew(this.#hosts, formatEndpoint(endpoint), { endpoint, ultrapeer, at: now }, HOSTS_MAX);
    return true;
  }

  /**
   * Answers a query string. No line has a comma and every H, U and I line has a second field, because WireShare splits at
   * commas and does not check fields.
   */
  answer(query: string, remoteHost: string, now: number): string {
    const words = new URLSearchParams(query);
    const refusal = this.#refusal(words);
    if (refusal !== null) {
      this.counters.refused++;
      return refusal;
    }
    const second = words.has('get') || words.has('update') || words.has('net');
    const lines: string[] = [];
    if (words.has('ping')) {
      this.counters.pings++;
      lines.push(second ? `I|pong|${this.#rules.name}|${this.#rules.network}` : `PONG ${this.#rules.name}`);
    }
    if (words.has('ip') || words.has('url') || words.has('ip1') || words.has('url1') || words.has('update')) {
      lines.push(this.#update(words, remoteHost, now, second));
    }
    if (words.has('get') || words.has('hostfile') || words.has('bfile')) {
      this.counters.reads++;
      const hosts = this.hosts(now);
      lines.push(
        ...hosts.map(host => (second ? `H|${formatEndpoint(host)}|${this.#ageS(host, now)}` : formatEndpoint(host))),
      );
    }
    if (words.has('get') || words.has('urlfile') || words.has('bfile')) {
      const urls = [...this.#urls].slice(-URLS_SENT).reverse();
      lines.push(...urls.map(([url, at]) => (second ? `U|${url}|${Math.round((now - at) / 1000)}` : url)));
    }
    if (words.has('statfile'))
      lines.push(...[this.counters.reads, this.counters.reads, this.counters.updates].map(String));
    // specification 2: an empty body means a broken cache
    if (lines.length === 0 && second) lines.push('I|nothing');
    return lines.length === 0 ? '' : `${lines.join('\r\n')}\r\n`;
  }

  #refusal(words: URLSearchParams): string | null {
    const keys = [...words.keys()];
    if (new Set(keys).size !== keys.length) return 'ERROR: a parameter given twice\r\n';
    if (!words.has('client')) return 'ERROR: Anonymous requests are not answered: say client= and version=\r\n';
    const network = words.get('net');
    if (network !== null && network.toLowerCase() !== this.#rules.network) return 'I|net-not-supported|\r\n';
    return null;
  }

  #update(words: URLSearchParams, remoteHost: string, now: number, second: boolean): string {
    const warn = (text: string) => (second ? `I|update|WARNING|${text}` : `OK\r\nWARNING: ${text}`);
    const last = this.#updatedAt.get(remoteHost);
    if (last !== undefined && now - last < this.#rules.updateLockMs) return warn('You came back too early');
    const ip = words.get('ip') ?? words.get('ip1');
    if (ip !== null) {
      const endpoint = endpointOrNull(ip);
      const foreign = endpoint !== null && endpoint.host !== remoteHost && !this.#rules.lab;
      if (endpoint === null || foreign || !this.add(endpoint, now)) return warn('Rejected IP');
    }
    const url = words.get('url') ?? words.get('url1');
    if (url !== null) {
      const canonical = canonicalCacheUrl(url);
      // a public cache would have to test the URL first, and this one sends no requests
      if (canonical === null || !this.#rules.lab) return warn('Rejected URL');
      renew(this.#urls, canonical, now, URLS_MAX);
    }
    if (ip === null && url === null) return warn('Nothing to update');
    this.counters.updates++;
    renew(this.#updatedAt, remoteHost, now, LOCKS_MAX);
    return second ? 'I|update|OK' : 'OK';
  }

  #ageS(host: Endpoint, now: number): number {
    return Math.round((now - (this.#hosts.get(formatEndpoint(host))?.at ?? now)) / 1000);
  }

  #expire(now: number): void {
    for (const [key, { at }] of this.#hosts) {
      if (now - at <= this.#rules.hostLifeMs) break; // the rest is younger
      this.#hosts.delete(key);
    }
  }
}

function renew<V>(map: Map<string, V>, key: string, value: V, capacity: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > capacity) {
    const oldest = map.keys().next();
    if (!oldest.done) map.delete(oldest.value);
  }
}
