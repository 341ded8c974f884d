// Settings of V8 that keep a daemon small; each takes effect at once, in a process that runs already.
import { setFlagsFromString } from 'node:v8';

/**
 * The young generation stays at the 1 MB that V8 begins with. It doubles, up to 16 MB twice, when much survives a collection,
 * as it does while modules load and leaves come in, and gives nothing back for half a minute. Routing is no faster with it.
 *
 * Nothing is optimised before `optimiseFromNow`: what runs while modules load does not run again, and costs 10 MB to optimise.
 */
export function keepSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--no-opt');
}

/** As V8 does by itself. */
export function optimiseFromNow(): void {
  setFlagsFromString('--opt');
}
