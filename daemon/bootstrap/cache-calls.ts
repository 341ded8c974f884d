// Calls caches for the bootstrap: resolves names of UDP host caches, and queries GWebCaches over HTTP.
import type { BootstrapRules } from '../../protocol/bootstrap/bootstrap-rules.ts';
import type { GwebCacheRequest } from '../../protocol/bootstrap/gwebcache-request.ts';
import type { Servent } from '../../protocol/servent.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { resolveAddress } from '../net/lookup.ts';
import type { WayOut } from '../net/way-out.ts';
import { askGwebCache, GwebCacheError, type GwebCacheErrorCode } from './gwebcache-client.ts';

/** Errors of requests that did not reach the cache. */
const UNREACHED: readonly GwebCacheErrorCode[] = ['CACHE_FORBIDDEN', 'CACHE_UNREACHABLE'];

export interface CacheCallsOptions {
  servent: Pick<Servent, 'bootstrap' | 'reach'>;
  way: Pick<WayOut, 'closed' | 'localAddress' | 'asksFrom' | 'proxy' | 'add'>;
  rules: { readonly resolvesNames: boolean; readonly bootstrap: Pick<BootstrapRules, 'requestMs'> };
  clock: Clock;
  log: Log;
}

export class CacheCalls {
  readonly #options: CacheCallsOptions;
  readonly #abort = new AbortController();
  /** Running calls; bounded by the bootstrap. */
  readonly #calls = new Set<Promise<void>>();

  constructor(options: CacheCallsOptions) {
    this.#options = options;
  }

  lookUpCache(address: string): void {
    this.#follow(this.#lookUp(address));
  }

  askWebCache(url: string, request: GwebCacheRequest): void {
    this.#follow(this.#ask(url, request));
  }

  /** Aborts requests and resolves when they have ended. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#calls);
  }

  #follow(running: Promise<void>): void {
    const call = running.finally(() => this.#calls.delete(call));
    this.#calls.add(call);
  }

  async #lookUp(address: string): Promise<void> {
    const { servent, rules, clock, way } = this.#options;
    const { bootstrap, reach } = servent;
    // a UDP host cache answers by UDP, which no proxy carries: its name is not asked for
    const proxied = way.proxy === null ? null : 'there is no UDP through a proxy';
    const found =
      proxied ??
      way.closed ??
      (await resolveAddress(address, rules.resolvesNames, to => reach.forbids(to), way.asksFrom));
    if (typeof found === 'string') bootstrap.udpCacheLost(address, found);
    else bootstrap.udpCacheFound(address, found, clock.now());
  }

  async #ask(url: string, request: GwebCacheRequest): Promise<void> {
    const { servent, rules, clock, log, way } = this.#options;
    const { bootstrap, reach } = servent;
    const options = {
      way,
      forbids: (endpoint: Endpoint) => way.closed ?? reach.forbids(endpoint),
      resolvesNames: rules.resolvesNames,
      answerMs: rules.bootstrap.requestMs,
    };
    try {
      const answer = await askGwebCache(url, request, options, this.#abort.signal);
      if (answer.warning !== null)
        log.debug({ cache: url, warning: answer.warning.slice(0, 100) }, 'a GWebCache sent a warning');
      bootstrap.webCacheAnswered(url, request, answer, clock.now());
    } catch (error) {
      if (!(error instanceof GwebCacheError)) throw error;
      bootstrap.webCacheFailed(url, request, `${error.code}: ${error.message}`, !UNREACHED.includes(error.code));
    }
  }
}
