// V8 flags that limit the daemon's memory. They can be set while the process runs.
import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the young generation at its initial 1 MB. V8 would double it up to 2 × 16 MB while modules load and leaves connect,
 * and shrink it only after 30 s; routing is no faster with more.
 *
 * Turns the optimiser off until `enableOptimiser`: optimising code that runs only while modules load costs 10 MB.
 */
export function limitHeap(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--no-opt');
}

/** Restores the default of V8. */
export function enableOptimiser(): void {
  setFlagsFromString('--opt');
}

/**
 * Collects the old generation when it has grown by 30 %, until growHeapFreely(). V8 would let it grow up to four times: about 60 MB more
 * while a million files are scanned.
 */
export function growHeapSlowly(): void {
  setFlagsFromString('--heap-growing-percent=30');
}

/** Restores the default of V8. */
export function growHeapFreely(): void {
  setFlagsFromString('--heap-growing-percent=0');
}
