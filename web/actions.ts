// Interface of the user's actions on the page.
import type {
  DownloadView,
  FolderView,
  PeerView,
  ResultView,
  SavedSearchView,
  SearchView,
  UploadView,
} from '../api/control.ts';
import type { ListName, Span } from './model.ts';

/** Promises resolve to whether the action succeeded; errors have then been shown. */
export interface Actions {
  span(span: Span): void;
  turn(list: ListName, to: 'next' | 'back' | 'first'): void;
  /** Cycles descending, ascending, default order. */
  sort(list: ListName, field: string): void;
  sortTo(list: ListName, sort: string): void;
  filter(list: ListName, text: string): void;
  fold(id: string): void;
  explain(what: 'explainSearch' | 'explainDownload', id: string): void;
  filterQueries(text: string): void;
  pauseQueries(paused: boolean): void;

  /** Asks a question of the recording. */
  analyse(question: string): void;
  /** Looks a URN, a GUID or a KUID up in the DHT. */
  lookUp(text: string): Promise<boolean>;
  connect(address: string): Promise<boolean>;
  disconnect(peer: PeerView): void;
  /** Searches by words, or by hash for a URN. */
  search(text: string): Promise<boolean>;
  browse(address: string): void;
  removeSearch(search: SearchView): void;
  /** Now, and not when it is due. */
  runSaved(saved: SavedSearchView): void;
  removeSaved(saved: SavedSearchView): void;
  fetch(search: string, result: ResultView): void;
  /** Downloads a magnet link or a URN. */
  fetchLink(link: string): Promise<boolean>;
  pause(download: DownloadView): void;
  resume(download: DownloadView): void;
  prioritise(download: DownloadView, priority: number): void;
  /** Looks through its bytes again. */
  verify(download: DownloadView): void;
  move(download: DownloadView, position: 'top' | 'up' | 'down' | 'bottom'): void;
  /** Forgets completed downloads. */
  clearDownloads(): void;
  removeDownload(download: DownloadView): void;
  cancelUpload(upload: UploadView): void;
  share(path: string): Promise<boolean>;
  /** Shows what strangers would see, and shares it if that is well. */
  preview(path: string): Promise<boolean>;
  unshare(folder: FolderView): void;
  rescan(): void;
  /** Ends scans and hashing. */
  endScans(): void;
}
