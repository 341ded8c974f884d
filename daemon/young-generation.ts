// V8 doubles its young generation when much survives a collection, as it does while modules load, and gives nothing back for
// half a minute. An idle daemon would carry 10 MB of that; a busy one is to have the room.
import { setFlagsFromString } from 'node:v8';

export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** V8's own factor. */
export function letYoungGenerationGrow(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
}
