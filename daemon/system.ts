// Implements the clock and randomness ports of protocol/ports.ts with the operating system.
import { randomFillSync, randomInt } from 'node:crypto';
import { v4 } from 'uuid';
import { GUID_BYTES } from '../protocol/constants.ts';
import type { Random } from '../protocol/ports.ts';
import { markGuid } from '../protocol/wire/guid.ts';
import type { Clock } from './clock.ts';

export class SystemClock implements Clock {
  now(): number {
    return performance.now();
  }
  wallTime(): number {
    return Date.now();
  }
}

export class SystemRandom implements Random {
  below(bound: number): number {
    return randomInt(bound);
  }
  fill(target: Uint8Array): void {
    randomFillSync(target);
  }
  /** A version 4 UUID with the marks of a modern servent (byte 8 = FF, byte 15 = 00). */
  guid(): Buffer {
    const guid = Buffer.allocUnsafeSlow(GUID_BYTES); // long-lived: must not pin a slab of the buffer pool, see keptCopy
    v4(undefined, guid);
    return markGuid(guid);
  }
}
