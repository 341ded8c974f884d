// Schema of the description beside a part file. A separate module, so that zod is loaded only to recover downloads.
import { z } from 'zod';
import { storedDownload } from '../store/stored-download.ts';

export const described = z.object({
  version: z.int(),
  id: z.string(),
  download: storedDownload,
});
