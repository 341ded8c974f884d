// A lookup in the DHT as the API shows it.
import type { DhtLookupEvent, DhtLookupView } from '../../api/control.ts';
import { parseAloc } from '../../protocol/dht/aloc.ts';
import { type DhtValue, ValueType } from '../../protocol/dht/dht-value.ts';
import { distance, formatKuid } from '../../protocol/dht/kuid.ts';
import type { LookupResult } from '../../protocol/dht/lookup-result.ts';
import { parseNope } from '../../protocol/dht/nope.ts';
import { parseProx } from '../../protocol/dht/prox.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';

type ValueView = DhtLookupView['values'][number];

export interface ShownLookup {
  readonly id: string;
  readonly target: Buffer;
  /** Null: a node is looked for. */
  readonly type: string | null;
  /** Null: not over, or it failed. */
  readonly result: LookupResult | null;
  readonly error: string | null;
}

export function lookupView(lookup: ShownLookup): DhtLookupView {
  const { id, target, error, result } = lookup;
  return {
    id,
    target: formatKuid(target),
    state: stateOf(lookup),
    error,
    asked: result?.asked ?? 0,
    path: (result?.path ?? []).map(({ contact: { kuid, endpoint }, ms }) => ({
      kuid: formatKuid(kuid),
      address: formatEndpoint(endpoint),
      distance: formatKuid(distance(target, kuid)),
      ms,
    })),
    values: (result?.values ?? []).map(valueView),
  };
}

function stateOf({ target, type, error, result }: ShownLookup): DhtLookupView['state'] {
  if (error !== null) return 'failed';
  if (result === null) return 'running';
  const found = type === null ? result.nearest[0]?.contact.kuid.equals(target) === true : result.values.length > 0;
  return found ? 'found' : 'missing';
}

function valueView(value: DhtValue): ValueView {
  const { type, creator, version } = value;
  const { port = creator.endpoint.port, ...said } = readable(value);
  return {
    type,
    creator: formatKuid(creator.kuid),
    address: formatEndpoint({ host: creator.endpoint.host, port }),
    version: `${version >> 8}.${version & 0xff}`,
    servent: null,
    firewalled: null,
    size: null,
    proxies: [],
    ...said,
  };
}

/** What a value of a known type says; nothing of others and of malformed ones. */
function readable({ type, data, version }: DhtValue): Partial<ValueView> & { port?: number } {
  try {
    if (type === ValueType.AltLocation) {
      const { serventGuid, port, firewalled, length } = parseAloc(data, version);
      return { port, firewalled, size: length, servent: serventGuid.toString('hex') };
    }
    if (type === ValueType.PushProxies) {
      const { serventGuid, port, proxies } = parseProx(data);
      const addresses = proxies.map(({ endpoint }) => formatEndpoint(endpoint));
      return { port, proxies: addresses, servent: serventGuid.toString('hex') };
    }
    if (type === ValueType.PushProxy) {
      const { serventGuid, port } = parseNope(data);
      return { port, servent: serventGuid.toString('hex') };
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  return {};
}

/** For the event `dht.lookup`. */
export function lookupEvent({ kind, target, end, hops, asked, values, ms }: LookupResult): DhtLookupEvent {
  return { kind, target: formatKuid(target), end, hops, asked, values: values.length, seconds: ms / 1_000 };
}
