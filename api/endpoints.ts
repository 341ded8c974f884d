// Table of the endpoints, one row per operation. Routes, validation, client and docs/api.md are made from it.
import type { z } from 'zod';
import type { Answer, Control } from './control.ts';
import type { Endpoint } from './endpoint.ts';
import { dhtEndpoints } from './endpoints/dht.ts';
import { downloadEndpoints } from './endpoints/downloads.ts';
import { explanationEndpoints } from './endpoints/explanations.ts';
import { healthEndpoints } from './endpoints/health.ts';
import { historyEndpoints } from './endpoints/history.ts';
import { hookEndpoints } from './endpoints/hooks.ts';
import { keyEndpoints } from './endpoints/keys.ts';
import { libraryEndpoints } from './endpoints/library.ts';
import { natEndpoints } from './endpoints/nat.ts';
import { overlayEndpoints } from './endpoints/overlay.ts';
import { queryEndpoints } from './endpoints/queries.ts';
import { recordingEndpoints } from './endpoints/recordings.ts';
import { savedEndpoints } from './endpoints/saved-searches.ts';
import { searchEndpoints } from './endpoints/searches.ts';
import { serviceEndpoints } from './endpoints/service.ts';
import { uploadEndpoints } from './endpoints/uploads.ts';

/** Endpoints that the HTTP layer answers itself. */
export type OwnName = 'openapi' | 'bulk' | 'caller';

export const endpoints = {
  ...overlayEndpoints,
  ...dhtEndpoints,
  ...natEndpoints,
  ...recordingEndpoints,
  ...queryEndpoints,
  ...historyEndpoints,
  ...hookEndpoints,
  ...searchEndpoints,
  ...savedEndpoints,
  ...downloadEndpoints,
  ...uploadEndpoints,
  ...libraryEndpoints,
  ...serviceEndpoints,
  ...keyEndpoints,
  ...explanationEndpoints,
  ...healthEndpoints,
} as const satisfies Record<keyof Control | OwnName, Endpoint>;

export type Endpoints = typeof endpoints;
export type EndpointName = keyof Endpoints;
export const endpointNames = Object.keys(endpoints) as EndpointName[];

type Read<S> = S extends z.ZodType ? z.output<S> : unknown;
type Written<S> = S extends z.ZodType ? z.input<S> : unknown;

/** Input of a Control method: path parameters, query and body in one object. */
export type InputOf<N extends EndpointName> = Read<Endpoints[N]['params']> &
  Read<Endpoints[N]['query']> &
  Read<Endpoints[N]['body']>;
/** Input of a client function. */
export type CallOf<N extends EndpointName> = Written<Endpoints[N]['params']> &
  Written<Endpoints[N]['query']> &
  Written<Endpoints[N]['body']>;
export type OutputOf<N extends EndpointName> = Endpoints[N]['output'] extends z.ZodType
  ? z.output<Endpoints[N]['output']>
  : undefined;

/** Control as derived from the table; an assignment checks that schemas and interface agree. */
export type Handlers = {
  [N in Exclude<EndpointName, OwnName>]: (
    input: InputOf<N>,
  ) => Endpoints[N]['output'] extends null ? unknown : Answer<OutputOf<N>>;
};
