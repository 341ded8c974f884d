// A download as those see it who read its bytes while they come.
import type { Download } from './download.ts';

export type ReadableDownload = Pick<
  Download,
  'name' | 'sha1' | 'size' | 'state' | 'path' | 'partPath' | 'swarm' | 'reading' | 'verified' | 'verifiedFrom'
>;
