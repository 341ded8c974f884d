// What handshake tests start from: a hello, a lenient context, and bytes cut into chunks.
import { type AdmissionContext, admit } from '../../protocol/handshake/admission.ts';
import type { Capabilities } from '../../protocol/handshake/capabilities.ts';
import {
  Handshake,
  type HandshakeOptions,
  type HandshakeOutcome,
  type LocalHello,
} from '../../protocol/handshake/handshake.ts';

export const localHello: LocalHello = {
  userAgent: 'servent/0.1.0',
  role: 'ultrapeer',
  listen: { host: '127.0.0.1', port: 6346 },
  guid: Buffer.from('00112233445566778899aabbccddee00', 'hex'),
  degree: 32,
  maxTtl: 4,
  deflate: true,
  features: ['tls/1.0', 'browse/1.0', 'HSEP/0.2'],
  liveSince: 'Sun, 01 Jun 2025 10:23:29 +0000',
  guess: '0.2',
  locale: 'en',
};

export const openContext: AdmissionContext = {
  direction: 'in',
  role: 'ultrapeer',
  leaves: { used: 0, max: 10 },
  ultrapeers: { used: 0, max: 10 },
  addressConnected: false,
  guidConnected: false,
  hostile: false,
  hammering: false,
  closing: false,
  acceptLegacy: false,
  demandDynamicQuerying: false,
  mayBecomeLeaf: false,
  liveSince: null,
  guid: null,
  wantsLeaves: false,
};

export interface HandshakeTweaks {
  local?: Partial<LocalHello>;
  context?: Partial<AdmissionContext>;
  options?: Partial<HandshakeOptions>;
}

/** A handshake whose admission is admit() in openContext, as ultrapeer with everything on, but for the tweaks. */
export function newHandshake(direction: 'in' | 'out', { local, context, options }: HandshakeTweaks = {}): Handshake {
  const hello = { ...localHello, ...local };
  return new Handshake({
    direction,
    local: hello,
    remoteAddress: '127.0.0.9',
    admit: (peer: Capabilities) => admit(peer, { ...openContext, direction, role: hello.role, ...context }),
    tryUltrapeers: () => [],
    crawl: () => ({ peers: [], leaves: [] }),
    ...options,
  });
}

/** Lengths repeat; an empty list means one chunk. */
export function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  if (lengths.length === 0) return [bytes];
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = Math.max(1, lengths[i % lengths.length] ?? 1);
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return chunks;
}

/** The type checker takes a getter for a constant. */
export function outcomeOf(handshake: Handshake): HandshakeOutcome | null {
  return handshake.outcome;
}

/** Feeds as a socket would; returns what came after the handshake: `rest` and the chunks that it did not get. */
export function feedAll(handshake: Handshake, chunks: readonly Buffer[]): Buffer {
  const after: Buffer[] = [];
  for (const chunk of chunks) {
    if (outcomeOf(handshake) !== null) {
      after.push(chunk);
      continue;
    }
    handshake.feed(chunk);
    const outcome = outcomeOf(handshake);
    if (outcome?.kind === 'accepted') after.push(outcome.rest);
  }
  return Buffer.concat(after);
}
