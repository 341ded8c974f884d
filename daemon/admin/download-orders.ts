// The admin API's orders for downloads.
import type {
  ById,
  ChangeDownloadInput,
  ClearDownloadsInput,
  ClearedDownloads,
  DownloadChunksView,
  DownloadView,
  Explanation,
  ListRequest,
  Page,
  RecoveredParts,
  StartDownloadInput,
  StartedDownload,
} from '../../api/control.ts';
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

export class DownloadOrders {
  readonly #parts: ControlParts;

  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  async start(input: StartDownloadInput): Promise<StartedDownload> {
    const { downloads, searches } = this.#parts;
    const { again = false, category } = input;
    this.#mustHaveCategory(category);
    const add: AddDownload = request => downloads.add({ ...request, again, category });
    if ('magnet' in input) return startLinked(fileOfMagnet(input.magnet), add);
    if ('metalink' in input) return startDescribed(filesOfMetalink(input.metalink), add);
    if (isOfSeveral(input)) return startBatch(this.#parts, input, request => downloads.add({ ...request, again }));
    return startedView(await add(downloadRequest(input, searches)));
  }

  list(input: ListRequest): Page<DownloadView> {
    return pageOf(this.#parts.downloads.list(), input, ({ id }) => id, downloadView);
  }

  get({ id }: ById): DownloadView {
    const download = this.#parts.downloads.get(id);
    if (download === null) throw notFound('download', id);
    return downloadView(download);
  }

  chunks({ id }: ById): DownloadChunksView {
    const download = this.#parts.downloads.readable(id);
    if (download === null) throw notFound('download', id);
    return chunksView(download);
  }

  async change({ id, ...changes }: ById & ChangeDownloadInput): Promise<DownloadView> {
    const { downloads } = this.#parts;
    const { state, name, priority, position, category, order } = changes;
    if (downloads.get(id) === null) throw notFound('download', id);
    this.#mustHaveCategory(category);
    if (name !== undefined) await downloads.rename(id, name); // first, as it may be refused
    if (category !== undefined) await downloads.setCategory(id, category);
    if (priority !== undefined) await downloads.setPriority(id, priority);
    if (position !== undefined) await downloads.move(id, position);
    if (order !== undefined) await downloads.setSequential(id, order === 'sequential');
    if (state === 'paused') await downloads.pause(id);
    if (state === 'active') await downloads.resume(id);
    return this.get({ id });
  }

  #mustHaveCategory(category: string | null | undefined): void {
    if (category != null && !this.#parts.downloads.hasCategory(category))
      throw invalid('category', 'expected the name of one of downloads.categories');
  }

  async remove({ id }: ById): Promise<void> {
    if (!(await this.#parts.downloads.cancel(id))) throw notFound('download', id);
  }

  verify({ id }: ById): DownloadView {
    const download = this.#parts.downloads.verify(id);
    if (download === null) throw notFound('download', id);
    return downloadView(download);
  }

  async recover(): Promise<RecoveredParts> {
    return { items: [...(await this.#parts.downloads.recover())] };
  }

  async clear({ state }: ClearDownloadsInput): Promise<ClearedDownloads> {
    const items: ClearedDownloads['items'] = [];
    for (const { id, name } of this.#parts.downloads.list().filter(row => row.state === state))
      if (await this.#parts.downloads.cancel(id)) items.push({ id, name });
    return { items };
  }

  async explain({ id }: ById): Promise<Explanation> {
    const { downloads, servent, clock, live } = this.#parts;
    const { folder, maxActive, reserve } = live.settings.downloads;
    const download = this.get({ id });
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
  }
}
