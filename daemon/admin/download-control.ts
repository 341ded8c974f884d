// The admin API's operations on downloads.
import type { Control, DownloadView } from '../../api/control.ts';
import { invalid, notFound } from '../../api/errors.ts';
import { pageOf } from '../../api/page.ts';
import { fileOfMagnet, filesOfMetalink } from '../../protocol/transfer/downloads/linked-file.ts';
import { explainDownload } from '../explain/explain.ts';
import { roomOf } from '../transfer/volumes.ts';
import { chunksView, downloadView } from '../views/transfers.ts';
import { isOfSeveral, startBatch } from './batch-order.ts';
import type { ControlParts } from './control-parts.ts';
import { downloadRequest } from './download-request.ts';
import { startDescribed, startLinked } from './linked-downloads.ts';
import { type AddDownload, startedView } from './several-downloads.ts';

type DownloadControl = Pick<
  Control,
  | 'startDownload'
  | 'downloads'
  | 'download'
  | 'downloadChunks'
  | 'changeDownload'
  | 'removeDownload'
  | 'verifyDownload'
  | 'recoverDownloads'
  | 'clearDownloads'
  | 'explainDownload'
>;

export function downloadControl(parts: ControlParts): DownloadControl {
  const { downloads, searches, servent, clock, live } = parts;

  /** Throws NOT_FOUND. */
  const viewOf = (id: string): DownloadView => {
    const download = downloads.get(id);
    if (download === null) throw notFound('download', id);
    return downloadView(download);
  };

  const mustHaveCategory = (category: string | null | undefined): void => {
    if (category != null && !downloads.hasCategory(category))
      throw invalid('category', 'expected the name of one of downloads.categories');
  };

  return {
    startDownload: async input => {
      const { again = false, category } = input;
      mustHaveCategory(category);
      const add: AddDownload = request => downloads.add({ ...request, again, category });
      if ('magnet' in input) return startLinked(fileOfMagnet(input.magnet), add);
      if ('metalink' in input) return startDescribed(filesOfMetalink(input.metalink), add);
      if (isOfSeveral(input)) return startBatch(parts, input, request => downloads.add({ ...request, again }));
      return startedView(await add(downloadRequest(input, searches)));
    },

    downloads: input => pageOf(downloads.list(), input, ({ id }) => id, downloadView),
    download: ({ id }) => viewOf(id),

    downloadChunks: ({ id }) => {
      const download = downloads.readable(id);
      if (download === null) throw notFound('download', id);
      return chunksView(download);
    },

    changeDownload: async ({ id, ...changes }) => {
      const { state, name, priority, position, category, order } = changes;
      if (downloads.get(id) === null) throw notFound('download', id);
      mustHaveCategory(category);
      if (name !== undefined) await downloads.rename(id, name); // first, as it may be refused
      if (category !== undefined) await downloads.setCategory(id, category);
      if (priority !== undefined) await downloads.setPriority(id, priority);
      if (position !== undefined) await downloads.move(id, position);
      if (order !== undefined) await downloads.setSequential(id, order === 'sequential');
      if (state === 'paused') await downloads.pause(id);
      if (state === 'active') await downloads.resume(id);
      return viewOf(id);
    },

    removeDownload: async ({ id }) => {
      if (!(await downloads.cancel(id))) throw notFound('download', id);
    },

    verifyDownload: ({ id }) => {
      const download = downloads.verify(id);
      if (download === null) throw notFound('download', id);
      return downloadView(download);
    },

    recoverDownloads: async () => ({ items: [...(await downloads.lost.recover())] }),

    clearDownloads: async ({ state }) => {
      const items: { id: string; name: string }[] = [];
      for (const { id, name } of downloads.list().filter(row => row.state === state))
        if (await downloads.cancel(id)) items.push({ id, name });
      return { items };
    },

    explainDownload: async ({ id }) => {
      const { folder, maxActive, reserve } = live.settings.downloads;
      const download = viewOf(id);
      const { free } = await roomOf(folder);
      const place = download.position ?? 0;
      return explainDownload({
        download,
        active: downloads.load.active,
        activeMax: maxActive,
        wait: downloads.waitOf(id),
        ahead: downloads.list().filter(({ state, position }) => state === 'queued' && (position ?? 0) < place).length,
        firewalled: servent.firewall.firewalled(clock.now()),
        freeBytes: free,
        reserve,
      });
    },
  };
}
