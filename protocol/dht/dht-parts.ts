// What a node of the DHT consists of while it is on, put together.
import type { Random } from '../ports.ts';
import type { Endpoint } from '../wire/endpoint.ts';
import { Answers } from './answers.ts';
import { K } from './bucket.ts';
import { ContactSeeds } from './contact-seeds.ts';
import type { DhtContact } from './dht-contact.ts';
import type { DhtCounters } from './dht-counters.ts';
import type { DhtRules } from './dht-rules.ts';
import type { LookupResult } from './lookup-result.ts';
import { Lookups } from './lookups.ts';
import { Publisher } from './publisher.ts';
import { Replicator } from './replicator.ts';
import { type DhtBody, Requests } from './requests.ts';
import { RoutingTable } from './routing-table.ts';
import type { SizeEstimate } from './size-estimate.ts';
import { Surroundings } from './surroundings.ts';
import { TableUpkeep } from './table-upkeep.ts';
import type { Tokens } from './tokens.ts';
import { ValueStore } from './value-store.ts';

export interface DhtParts {
  readonly table: RoutingTable;
  readonly requests: Requests;
  readonly lookups: Lookups;
  readonly values: ValueStore;
  readonly answers: Answers;
  readonly publisher: Publisher;
  readonly seeds: ContactSeeds;
  readonly upkeep: TableUpkeep;
  readonly replicator: Replicator;
}

export interface DhtPartsOptions {
  readonly kuid: Buffer;
  readonly rules: DhtRules;
  readonly random: Random;
  /** Answers requests. */
  readonly active: boolean;
  readonly tokens: Tokens;
  readonly size: SizeEstimate;
  readonly contact: () => DhtContact;
  readonly send: (body: DhtBody, muid: Buffer, to: Endpoint) => void;
  readonly counters: DhtCounters;
  /** Addresses that are neither asked nor believed when others name them. */
  readonly refuses: (endpoint: Endpoint) => boolean;
  /** Any lookup has ended. */
  readonly onLookup: (result: LookupResult, now: number) => void;
}

export function dhtParts(options: DhtPartsOptions, now: number): DhtParts {
  const { kuid: own, rules, random, active, tokens, size, contact, counters, refuses, send, onLookup } = options;
  const table = new RoutingTable({ own, limits: rules.limits, active });
  const requests = new Requests(
    {
      rules,
      random,
      counters,
      send,
      onGoodNode: (node, at) => {
        upkeep.onGoodNode(at);
        if (active) replicator.onGoodNode(node, at);
      },
    },
    table,
    now,
  );
  const { reaches, valuesOfAddress: ofAddress, valuesOfNetwork: ofNetwork, valuesOfKeyAndNetwork } = rules;
  const values = new ValueStore({ own, reaches, ofAddress, ofNetwork, ofKeyAndNetwork: valuesOfKeyAndNetwork }, now);
  const networkSize = (): number => size.size;
  const closest = (target: Buffer): DhtContact[] => table.closest(target, K, { stale: true });
  const lookups = new Lookups({ own, rules, requests, closest, networkSize, refuses, onEnd: onLookup });
  const seeds = new ContactSeeds(own, reaches, requests, random);
  const surroundings = new Surroundings(table, size);
  const ballBits = (at: number): number => surroundings.ballBits(at);
  const answers = new Answers({
    table,
    values,
    tokens,
    rules,
    ballBits,
    networkSize,
    random,
    counters,
    prove: (endpoint, at) => requests.prove(endpoint, at),
  });
  const publisher = new Publisher({ lookups, requests, counters, creator: contact });
  const replicator = new Replicator({ table, values, requests });
  const upkeep = new TableUpkeep({ table, lookups, requests, seeds, random, networkSize }, now);
  return { table, requests, lookups, values, answers, publisher, seeds, upkeep, replicator };
}
