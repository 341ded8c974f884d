// What peers of a swarm tell each other (BEP 3, 6 and 11), a tracker, and nodes of a distributed table (BEP 5). Blocks flow over FluidLinks.
export type SwarmMessage =
  | { readonly kind: 'announce' }
  | { readonly kind: 'peers'; readonly peers: readonly number[] }
  | { readonly kind: 'find' }
  | { readonly kind: 'closer'; readonly nodes: readonly number[]; readonly peers: readonly number[] }
  | { readonly kind: 'store' }
  | { readonly kind: 'handshake'; readonly has: Uint8Array }
  | { readonly kind: 'have'; readonly piece: number }
  | { readonly kind: 'interested'; readonly yes: boolean }
  | { readonly kind: 'choke'; readonly yes: boolean }
  | { readonly kind: 'request'; readonly block: number }
  | { readonly kind: 'cancel'; readonly block: number }
  | { readonly kind: 'reject'; readonly block: number }
  | { readonly kind: 'pex'; readonly peers: readonly number[] };
