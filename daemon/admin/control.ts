// The operations of the admin API on the daemon's parts: those of each subject together.
import type { Control } from '../../api/control.ts';
import type { ControlParts } from './control-parts.ts';
import { dhtControl } from './dht-control.ts';
import { downloadControl } from './download-control.ts';
import { historyControl } from './history-control.ts';
import { libraryControl } from './library-control.ts';
import { logControl } from './log-control.ts';
import { overlayControl } from './overlay-control.ts';
import { savedControl } from './saved-control.ts';
import { searchControl } from './search-control.ts';
import { serviceControl } from './service-control.ts';
import { uploadControl } from './upload-control.ts';

export function daemonControl(parts: ControlParts): Control {
  return {
    ...serviceControl(parts),
    ...logControl(parts.log),
    ...overlayControl(parts),
    ...dhtControl(parts),
    ...searchControl(parts),
    ...savedControl(parts),
    ...downloadControl(parts),
    ...uploadControl(parts),
    ...libraryControl(parts),
    ...historyControl(parts),
  };
}
