// Lookups in the DHT that admins have started: a few at a time, and the latest ones that are over.
import type { DhtLookupView, Explanation, StartDhtLookupInput } from '../../api/control.ts';
import { ApiError, invalid, notFound } from '../../api/errors.ts';
import type { DhtParts } from '../../protocol/dht/dht-parts.ts';
import { ValueType } from '../../protocol/dht/dht-value.ts';
import { parseKuid, serventKey } from '../../protocol/dht/kuid.ts';
import type { LookupResult } from '../../protocol/dht/lookup-result.ts';
import type { ServentDht } from '../../protocol/servent-dht.ts';
import { urnOrNull } from '../../protocol/wire/urn.ts';
import type { Clock } from '../clock.ts';
import { explainLookup } from '../explain/explain-dht.ts';
import { lookupView } from '../views/dht-lookup.ts';

const RUNNING_MAX = 4;
const KEPT_MAX = 32;
/** A lookup takes 120 s, and the values of its last node 45 s; beyond that it has waited behind others. */
const LOOKUP_MS = 180_000;

export type LookupNode = Pick<ServentDht, 'node' | 'findNode' | 'findValue'>;

interface Wish {
  readonly target: Buffer;
  /** Null: a node. */
  readonly type: string | null;
}

export interface KeptLookup extends Wish {
  readonly id: string;
  readonly startedAt: number;
  /** Of the node in the mode in which the lookup began: it does not outlive a change. */
  readonly parts: DhtParts;
  result: LookupResult | null;
  error: string | null;
}

export class DhtLookups {
  readonly #dht: LookupNode;
  readonly #clock: Pick<Clock, 'now'>;
  /** Oldest first. */
  readonly #kept = new Map<string, KeptLookup>();
  #last = 0;

  constructor(dht: LookupNode, clock: Pick<Clock, 'now'>) {
    this.#dht = dht;
    this.#clock = clock;
  }

  start(input: StartDhtLookupInput): DhtLookupView {
    const { parts } = this.#dht.node;
    if (parts === null)
      throw new ApiError('CONFLICT', 'the DHT is off: set dht.mode to auto, and gnutella.udp to true if it is not');
    const wish = wishOf(input);
    this.#settle();
    const kept = [...this.#kept.values()];
    if (kept.filter(isRunning).length >= RUNNING_MAX)
      throw new ApiError('TOO_MANY', `${RUNNING_MAX} lookups are running: wait until one is over`, { retryAfter: 5 });
    if (kept.length >= KEPT_MAX) this.#kept.delete(kept.find(lookup => !isRunning(lookup))?.id ?? '');
    const now = this.#clock.now();
    const lookup: KeptLookup = { ...wish, id: String(++this.#last), startedAt: now, parts, result: null, error: null };
    this.#kept.set(lookup.id, lookup);
    const onEnd = (result: LookupResult): void => {
      if (isRunning(lookup)) end(lookup, result);
    };
    if (wish.type === null) this.#dht.findNode(wish.target, now, onEnd);
    else this.#dht.findValue(wish.target, wish.type, now, onEnd);
    return lookupView(lookup);
  }

  get(id: string): DhtLookupView {
    this.#settle();
    const lookup = this.#kept.get(id);
    if (lookup === undefined) throw notFound('lookup', id);
    return lookupView(lookup);
  }

  explain(id: string): Explanation {
    this.#settle();
    const lookup = this.#kept.get(id);
    if (lookup === undefined) throw notFound('lookup', id);
    return explainLookup(lookup.result, lookup.error);
  }

  /** Ends those whose results will not come. */
  #settle(): void {
    const now = this.#clock.now();
    for (const lookup of this.#kept.values()) {
      if (!isRunning(lookup)) continue;
      if (lookup.parts !== this.#dht.node.parts) lookup.error = 'the mode of the DHT changed meanwhile';
      else if (now - lookup.startedAt > LOOKUP_MS) lookup.error = 'it took too long';
    }
  }
}

function end(lookup: KeptLookup, result: LookupResult): void {
  lookup.result = result;
  if (result.values.length > 0) return;
  if (result.cutShort) lookup.error = 'it took too long, or too many lookups wait';
  else if (result.path.length === 0)
    lookup.error = result.asked === 0 ? 'no other node of the DHT is known yet' : 'no node of the DHT answered';
}

function isRunning({ result, error }: KeptLookup): boolean {
  return result === null && error === null;
}

function wishOf({ urn, guid, kuid }: StartDhtLookupInput): Wish {
  if (kuid !== undefined) return { target: parseKuid(kuid), type: null };
  if (guid !== undefined) return { target: serventKey(Buffer.from(guid, 'hex')), type: ValueType.Any };
  const sha1 = urnOrNull(urn ?? '')?.sha1 ?? null;
  if (sha1 === null)
    throw invalid(
      'urn',
      'the DHT knows contents by their SHA-1: expected urn:sha1: with 32 letters and digits, or urn:bitprint:',
    );
  return { target: sha1, type: ValueType.AltLocation };
}
