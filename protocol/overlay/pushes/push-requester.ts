// Reaches sources that are wanted: carries out their quests within bounds, and waits for the GIV of those that are asked to connect.
import { CodedError } from '../../errors.ts';
import { LazySet } from '../../lazy-set.ts';
import { KeyedRateLimit, RateLimit } from '../../rate-limit.ts';
import { ReasonCounts } from '../../reason-counts.ts';
import type { PushProxyVerdict } from '../../transfer/push-proxy.ts';
import { AskBudget } from '../../transfer/reaching/ask-budget.ts';
import {
  PushQuest,
  type QuestCommand,
  type QuestErrorCode,
  type QuestFacts,
} from '../../transfer/reaching/push-quest.ts';
import { ReachMemory, serventOf } from '../../transfer/reaching/reach-memory.ts';
import { REACH_WAYS, type ReachWay } from '../../transfer/reaching/reach-way.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import { guidKey } from '../../wire/guid.ts';
import { FIREWALL_TO_FIREWALL_INDEX, type Push } from '../../wire/push.ts';

/** gtk-gnutella sends a servent four pushes in 30 seconds. */
const PER_SERVENT = new RateLimit(7_500, 4);
const SERVENTS_MAX = 2_048;
/** Of a source's relays. Any may be a victim's address. */
const RELAYS_TRIED_MAX = 2;
/** Sources that are being reached. */
const WAITING_MAX = 256;

export type PushErrorCode = QuestErrorCode | 'PUSH_ABORTED';

export class PushError extends CodedError<PushErrorCode> {}

const REACH_FAILURES = [
  'PUSH_FIREWALLED',
  'PUSH_NO_WAY',
  'PUSH_TOO_OFTEN',
  'PUSH_BUSY',
  'PUSH_TIMEOUT',
  'DIAL_FAILED',
] as const satisfies readonly QuestErrorCode[];

/** What was not sent, though a quest wanted it: to one address no more, or at this time no more. */
const ASK_REFUSALS = ['datagram', 'connection'] as const;

/** Which servent, as hits and the servent itself said. */
export interface PushSource {
  /** Null: it can only be dialled. */
  readonly serventGuid: Buffer | null;
  readonly endpoint: Endpoint;
  readonly index: number;
  readonly pushProxies: readonly Endpoint[];
  /** It cannot be dialled, as far as is known. Absent: so it is. */
  readonly push?: boolean;
  /** Where it takes streams by UDP, when it is firewalled; null: nowhere. */
  readonly rudp?: Endpoint | null;
  readonly relays?: readonly Endpoint[];
  /** The content that it is wanted for. */
  readonly sha1?: Buffer | null;
}

/** One source that is being reached. */
export interface PushRequest {
  readonly source: PushSource;
  /** No way led to it. Called once at most, even from within `request`. */
  readonly onFailed: (error: PushError) => void;
}

interface Waiting extends PushRequest {
  /** Of the push, whichever way it goes: its receiver follows it once. */
  readonly guid: Buffer;
  readonly quest: PushQuest;
}

/** What the shell does for a request; the outcome comes back through the method that is named. */
export interface ReachRoads {
  /** Connect to the source; `dialled` or `dialFailed`. */
  dialSource(request: PushRequest): void;
  /** Ask a push proxy over HTTP for a push with this file index; `proxyAnswered`. */
  callProxy(request: PushRequest, proxy: Endpoint, fileIndex: number): void;
  /** Open a stream by UDP to the source, which opens one to us; `streamed` or `streamFailed`. */
  openStream(request: PushRequest, to: Endpoint): void;
  /** Meet the source at one of these relays; `relayed` or `relayFailed`. */
  meetAtRelay(request: PushRequest, relays: readonly Endpoint[]): void;
}

export interface PushRequesterParts {
  readonly roads: ReachRoads;
  /** By the routes that hits took; on how many links it went out. */
  readonly sendPush: (push: Push, now: number, guid: Buffer) => number;
  /** By datagram. False when it could not be sent. */
  readonly sendDatagram: (push: Push, to: Endpoint, now: number, guid: Buffer) => boolean;
  /** A new GUID of a descriptor. */
  readonly guid: () => Buffer;
  /** Datagrams can be sent. */
  readonly datagrams: () => boolean;
  /** Looks for push proxies of a servent, and says once which there are; null: nobody can be asked. */
  readonly findProxies:
    | ((
        guid: Buffer,
        now: number,
        onEnd: (proxies: readonly Endpoint[], now: number, stream: Endpoint | null) => void,
      ) => void)
    | null;
  readonly forbids: (endpoint: Endpoint) => string | null;
  /** Where others connect to us. */
  readonly listen: () => Endpoint;
  /** Our IPv6 address when `listen` is IPv4. */
  readonly ipv6: () => string | null;
  /** Then nobody can answer a push of ours. */
  readonly firewalled: (now: number) => boolean;
  /** Nobody has connected to us yet: a push may be of no use. Absent: no. */
  readonly unproven?: (now: number) => boolean;
  /** Streams by UDP can be opened; our address for them, or null. */
  readonly streams?: (now: number) => Endpoint | null;
}

export class PushRequester {
  readonly #parts: PushRequesterParts;
  readonly #rates = new KeyedRateLimit(PER_SERVENT, SERVENTS_MAX);
  readonly budget: AskBudget;
  readonly memory: ReachMemory;
  /** In the order of their asking; at most WAITING_MAX. */
  readonly #waiting = new LazySet<Waiting>();
  /** Ways that were tried, and by which sources were reached. */
  readonly tried = new ReasonCounts<ReachWay>(REACH_WAYS);
  readonly reached = new ReasonCounts<ReachWay>(REACH_WAYS);
  readonly failed = new ReasonCounts<QuestErrorCode>(REACH_FAILURES);
  readonly refused = new ReasonCounts<(typeof ASK_REFUSALS)[number]>(ASK_REFUSALS);

  constructor(parts: PushRequesterParts, now: number) {
    this.#parts = parts;
    this.budget = new AskBudget(now);
    this.memory = new ReachMemory(now);
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Reaches a source; `onFailed` tells of the end if none of the methods below gave it over. */
  request(source: PushSource, now: number, onFailed: PushRequest['onFailed'] = () => undefined): PushRequest {
    const quest = new PushQuest(this.#factsOf(source, now), now);
    const request: Waiting = { source, onFailed, quest, guid: this.#parts.guid() };
    if (this.#waiting.size >= WAITING_MAX) {
      this.#fail(request, 'PUSH_BUSY', `${WAITING_MAX} sources are being reached already`);
      return request;
    }
    this.#waiting.add(request);
    this.#carryOut(request, quest.begin(now), now);
    return request;
  }

  #factsOf(source: PushSource, now: number): QuestFacts {
    const { forbids, datagrams, findProxies, streams, unproven } = this.#parts;
    const { serventGuid, endpoint, index, pushProxies, push = true, rudp = null, relays = [] } = source;
    const servent = serventOf(serventGuid, endpoint);
    const noPush = this.#whyNoPush(serventGuid, now);
    const bothFirewalled = noPush?.code === 'PUSH_FIREWALLED';
    return {
      ...{ endpoint, push, noPush, fileIndex: index },
      mayDial: endpoint.port > 0 && forbids(endpoint) === null,
      datagrams: datagrams(),
      proxies: pushProxies.filter(proxy => forbids(proxy) === null && !this.memory.refuses(proxy, servent, now)),
      mayFindProxies: findProxies !== null && serventGuid !== null,
      rudp: serventGuid !== null && streams?.(now) != null ? rudp : null,
      mayStream: bothFirewalled && serventGuid !== null && streams?.(now) != null,
      unproven: unproven?.(now) ?? false,
      relay: (bothFirewalled || unproven?.(now) === true) && serventGuid !== null && relays.length > 0,
      mark: this.memory.recall(servent, now),
    };
  }

  #whyNoPush(serventGuid: Buffer | null, now: number): QuestFacts['noPush'] {
    if (serventGuid === null) return { code: 'PUSH_NO_WAY', reason: 'its GUID is not known, which a push needs' };
    if (this.#parts.firewalled(now))
      return { code: 'PUSH_FIREWALLED', reason: 'neither side can connect to the other' };
    if (!this.#rates.admit(guidKey(serventGuid), now))
      return { code: 'PUSH_TOO_OFTEN', reason: 'that servent was asked a moment ago' };
    return null;
  }

  #carryOut(request: Waiting, commands: readonly QuestCommand[], now: number): void {
    const { quest } = request;
    for (const command of commands) {
      const more = this.#obey(request, command, now);
      if (more.length > 0) this.#carryOut(request, more, now);
    }
    if (quest.isOver) this.#waiting.delete(request);
  }

  /** What the quest says to a result that is known at once. */
  #obey(request: Waiting, command: QuestCommand, now: number): readonly QuestCommand[] {
    const { roads, sendPush, sendDatagram } = this.#parts;
    const { quest, source } = request;
    switch (command.kind) {
      case 'dial':
        if (source.push !== false && !this.#mayConnect(source.endpoint, now))
          return quest.dialFailed('that address was connected to often enough', now);
        this.tried.count('direct');
        roads.dialSource(request);
        return [];
      case 'datagram': {
        const { to } = command;
        if (this.#parts.forbids(to) !== null) return [];
        // the source follows each GUID once, and has had it for another kind of connection
        const guid = command.streams === true ? this.#parts.guid() : request.guid;
        const push = this.#pushFor(source, command.streams === true, now);
        if (!this.budget.datagram(to, now)) this.refused.count('datagram');
        else if (sendDatagram(push, to, now, guid)) this.tried.count('datagram');
        return [];
      }
      case 'proxy': {
        const { proxy, fileIndex } = command;
        if (!this.#mayConnect(proxy, now)) return quest.proxyAnswered(proxy, fileIndex, 'refused', now);
        this.tried.count('proxy');
        roads.callProxy(request, proxy, fileIndex);
        return [];
      }
      case 'overlay':
        this.tried.count('overlay');
        return quest.overlaySent(sendPush(this.#pushFor(source, false, now), now, request.guid), now);
      case 'findProxies':
        return this.#findProxies(request, now);
      case 'rudp':
        // it takes 50 SYNs, and a source can name a victim as itself
        if (!this.#mayConnect(command.to, now)) return quest.lastFailed('rudp', now);
        this.tried.count('rudp');
        roads.openStream(request, command.to);
        return [];
      case 'relay': {
        const relays = (source.relays ?? []).slice(0, RELAYS_TRIED_MAX).filter(to => this.#mayConnect(to, now));
        if (relays.length === 0) return quest.lastFailed('relay', now);
        this.tried.count('relay');
        roads.meetAtRelay(request, relays);
        return [];
      }
      case 'failed':
        this.memory.forget(serventOf(source.serventGuid, source.endpoint));
        this.#fail(request, command.code, command.reason);
        return [];
    }
  }

  #mayConnect(to: Endpoint, now: number): boolean {
    const may = this.#parts.forbids(to) === null && this.budget.connection(to, now);
    if (!may) this.refused.count('connection');
    return may;
  }

  /** `isStream`: for a stream by UDP. */
  #pushFor({ serventGuid, index }: PushSource, isStream: boolean, now: number): Push {
    const { listen, ipv6, streams } = this.#parts;
    const stream = isStream ? (streams?.(now) ?? null) : null;
    return {
      serventGuid: serventGuid ?? Buffer.alloc(16),
      fileIndex: stream === null ? index : FIREWALL_TO_FIREWALL_INDEX,
      endpoint: stream ?? listen(),
      ipv6: stream === null ? ipv6() : null,
      tls: false,
      ggep: [],
    };
  }

  #findProxies(request: Waiting, now: number): readonly QuestCommand[] {
    const { findProxies, forbids } = this.#parts;
    const { quest, source } = request;
    if (findProxies === null || source.serventGuid === null) return quest.proxiesFound([], true, now);
    this.tried.count('dht');
    const servent = serventOf(source.serventGuid, source.endpoint);
    findProxies(source.serventGuid, now, (proxies, at, stream) => {
      const able = proxies.filter(proxy => forbids(proxy) === null && !this.memory.refuses(proxy, servent, at));
      this.#carryOut(
        request,
        quest.proxiesFound(able, true, at, stream === null || forbids(stream) !== null ? null : stream),
        at,
      );
    });
    return [];
  }

  #fail(request: Waiting, code: QuestErrorCode, reason: string): void {
    request.quest.end();
    this.#waiting.delete(request);
    this.failed.count(code);
    request.onFailed(new PushError(code, reason));
  }

  /** The dial of a request has led to the source. False: the request is over, and the connection not wanted. */
  dialled(request: PushRequest, now: number): boolean {
    return this.#won(request as Waiting, 'direct', null, now);
  }

  dialFailed(request: PushRequest, reason: string, now: number): void {
    const waiting = request as Waiting;
    this.#carryOut(waiting, waiting.quest.dialFailed(reason, now), now);
  }

  proxyAnswered(
    request: PushRequest,
    proxy: Endpoint,
    fileIndex: number,
    verdict: PushProxyVerdict,
    now: number,
  ): void {
    const waiting = request as Waiting;
    const { serventGuid, endpoint } = request.source;
    if (verdict === 'sent') this.budget.proved(proxy, now);
    if (verdict === 'refused') this.memory.refuse(proxy, serventOf(serventGuid, endpoint), now);
    if (verdict === 'silent') this.memory.refuse(proxy, null, now);
    this.#carryOut(waiting, waiting.quest.proxyAnswered(proxy, fileIndex, verdict, now), now);
  }

  /** A stream by UDP, or one through a relay, leads to the source. False: it is not wanted any more. */
  arrived(request: PushRequest, way: 'rudp' | 'relay', now: number): boolean {
    return this.#won(request as Waiting, way, null, now);
  }

  lastFailed(request: PushRequest, way: 'rudp' | 'relay', now: number): void {
    const waiting = request as Waiting;
    this.#carryOut(waiting, waiting.quest.lastFailed(way, now), now);
  }

  /** A servent connected to us and said GIV: the request that waited longest for it, which is over, and its way; null: nobody asked. */
  onGiv(
    serventGuid: Buffer,
    now: number,
    by: 'push' | 'rudp' | 'relay' = 'push',
  ): { readonly request: PushRequest; readonly way: ReachWay } | null {
    for (const request of this.#waiting) {
      if (request.source.serventGuid?.equals(serventGuid) !== true) continue;
      const { pushWay, provenProxy } = request.quest;
      const way = by === 'push' ? pushWay : by;
      this.#won(request, way, by === 'push' ? provenProxy : null, now);
      return { request, way };
    }
    return null;
  }

  #won(request: Waiting, way: ReachWay, proxy: Endpoint | null, now: number): boolean {
    if (!this.#waiting.delete(request)) return false;
    request.quest.end();
    this.reached.count(way);
    const { serventGuid, endpoint, rudp = null } = request.source;
    // both sides have opened the stream: it is no victim's address
    if (way === 'rudp' && rudp !== null) this.budget.proved(rudp, now);
    this.memory.note(serventOf(serventGuid, endpoint), way, proxy, now);
    return true;
  }

  cancel(request: PushRequest): void {
    (request as Waiting).quest.end();
    this.#waiting.delete(request as Waiting);
  }

  /** Goes on with what is due; when to be called again. */
  tick(now: number): number {
    for (const request of this.#waiting)
      if (now >= request.quest.nextAt) this.#carryOut(request, request.quest.tick(now), now);
    return this.nextAt;
  }

  /** When something is due. */
  get nextAt(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { quest } of this.#waiting) next = Math.min(next, quest.nextAt);
    return next;
  }
}
