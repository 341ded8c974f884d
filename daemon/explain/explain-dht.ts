// Explains the node of the DHT and its lookups in sentences: why it does not answer requests, why each node was asked, what it answered, and why
// a lookup ended. Pure.
import type { Explanation, Finding } from '../../api/control.ts';
import { counted } from '../../api/format.ts';
import type { DhtModeCause } from '../../protocol/dht/dht-mode.ts';
import { commonBits, distance, formatKuid } from '../../protocol/dht/kuid.ts';
import type { AskEnd, Candidate, Doubt } from '../../protocol/dht/lookup.ts';
import type { LookupEnd, LookupResult } from '../../protocol/dht/lookup-result.ts';
import type { DhtStanding } from '../../protocol/servent-dht-parts.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { causeText } from '../views/dht.ts';
import { explanation, test } from './explain.ts';

type Test = Explanation['tests'][number];

const MENDS: Readonly<Partial<Record<DhtModeCause, string>>> = {
  udp: 'set gnutella.udp to true, and see that the UDP port is free',
  address: 'connect to a neighbour, which tells the address that it sees; or listen on one with --host',
  scope: 'choose the profile of the network with --profile, or listen on an address of it with --host',
  firewalled: 'forward the port for UDP to this machine; until then the node only asks',
  unproven: 'nothing to do: neighbours test it; forward the port for UDP if it stays so',
};

/** For `doctor`. */
export function dhtFinding(dht: DhtStanding | null, now: number): Finding {
  if (dht === null) return { name: 'DHT', state: 'ok', detail: 'off', mend: null };
  const { node, state, cause } = dht;
  const why = causeText(dht, now);
  const nodes = node.parts?.table.goodNodes ?? 0;
  const known =
    node.mode === 'off' ? '' : `, ${counted(nodes, 'node')} known${state === 'seeking' ? ', not joined yet' : ''}`;
  const mend = cause === null ? null : (MENDS[cause] ?? null);
  const detail = `${node.mode}${known}${why === null ? '' : `: ${why}`}`;
  return { name: 'DHT', state: mend === null ? 'ok' : 'warning', detail, mend };
}

const ENDS: Readonly<Record<LookupEnd, (result: LookupResult) => string>> = {
  found: ({ values, path }) =>
    `found: ${at(path.at(-1))} had ${counted(values.length, 'value')}, so that nobody else had to be asked`,
  nearest: ({ nearest }) =>
    `the ${nearest.length} nearest nodes that are alive have answered, and none of them knows a nearer one`,
  missing: ({ nearest }) =>
    `the ${nearest.length} nearest nodes that are alive have answered, and none of them has the value`,
  silent: ({ asked }) => (asked === 0 ? 'no node was known that could be asked' : 'no node has answered'),
  too_long: () => 'its time of 120 s was up',
  refused: () => 'too many lookups wait',
};

const WELL: ReadonlySet<LookupEnd> = new Set(['found', 'nearest']);

/** `result` null: it is under way, or `error` says why it has ended. */
export function explainLookup(result: LookupResult | null, error: string | null): Explanation {
  if (result === null) return { verdict: error ?? 'it is under way', tests: [] };
  const doubts = Object.entries(result.doubts.toRecord()).filter(([, times]) => times > 0) as [Doubt, number][];
  const tests = [
    ...result.asks.map((ask, i) => askTest(ask, i, result)),
    ...(doubts.length === 0 ? [] : [doubtsTest(doubts)]),
    test('end', WELL.has(result.end), `${ENDS[result.end](result)}; ${spentText(result)}`, MEND_OF_END),
  ];
  return { verdict: error ?? explanation(ENDS[result.end](result), []).verdict, tests };
}

const MEND_OF_END = 'look again later: nodes come and go, and values are published again each hour';

const spentText = ({ asked, hops, ms }: LookupResult): string =>
  `${counted(asked, 'request')}, ${counted(hops, 'hop')}, ${(ms / 1_000).toFixed(1)} s`;

function askTest(ask: Candidate, index: number, { target }: LookupResult): Test {
  const { contact, via, hop, askedMs, tries, end } = ask;
  const bits = commonBits(contact.kuid, target);
  const known = via === null ? 'our table knew it' : `${at(via)} named it`;
  const why = `${known}, ${bits} bits are the target's (distance ${formatKuid(distance(target, contact.kuid)).slice(0, 10)}…)`;
  const again = tries > 1 ? ', asked twice' : '';
  const value = `after ${Math.round(askedMs)} ms, hop ${hop}: ${why}${again}; ${answerText(ask)}`;
  return test(`${index + 1}. ${at(ask)}`, end === 'nodes' || end === 'values', value, end === null ? NOT_NEEDED : GONE);
}

const GONE = 'nothing to do: others are asked in its place';
const NOT_NEEDED = 'nothing to do: the lookup ended before its answer';

const ANSWERS: Readonly<Record<AskEnd, (ask: Candidate) => string>> = {
  nodes: ({ named, news }) => `it named ${counted(named, 'node')}, ${news} of them new`,
  values: () => 'it had values',
  silent: () => 'it did not answer',
  another: () => 'another node answered at its address',
  firewalled: () => 'it answers no requests',
  unsent: () => 'not sent: too many requests were on their way',
};

function answerText(ask: Candidate): string {
  if (ask.end === null) return 'no answer before the end';
  const ms = ask.end === 'nodes' || ask.end === 'values' ? `, after ${Math.round(ask.ms)} ms` : '';
  return ANSWERS[ask.end](ask) + ms;
}

const at = (ask: Candidate | undefined): string =>
  ask === undefined
    ? 'a node'
    : `${formatKuid(ask.contact.kuid).slice(0, 8)} at ${formatEndpoint(ask.contact.endpoint)}`;

const DOUBTS: Readonly<Record<Doubt, string>> = {
  address: 'addresses outside of this network',
  refused: 'blocked addresses, or our own',
  own_kuid: 'our own KUID',
  too_near: 'nearer to the key than chance allows',
  asked: 'other KUIDs at an address that was asked already',
  silent: 'addresses that did not answer lately',
  network: 'too many of one /24 network',
  crowded: 'too many close together around the key',
};

function doubtsTest(doubts: readonly [Doubt, number][]): Test {
  const said = doubts.map(([doubt, times]) => `${times} ${DOUBTS[doubt]}`).join(', ');
  return test('contacts that were named and left out', true, said, '');
}
