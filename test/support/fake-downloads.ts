// The part of FakeControl that answers about downloads.
import type { ById, Control, ListRequest } from '../../api/control.ts';
import { ApiError, invalid } from '../../api/errors.ts';
import { only, paged, without } from './rows.ts';
import { aDownload, anExplanation, aRecoveredPart, someChunks } from './sample-views.ts';

export class FakeDownloads {
  downloadList = [aDownload];
  recoveredList = [aRecoveredPart];
  /** Of what is started: what is other than in the sample. */
  nextDownload: Partial<typeof aDownload> = {};
  /** Of the next link: what is not used. */
  unused: string[] = [];
  /** Called before each answer; throw to fail it. */
  before: (name: string, input: unknown) => void = () => undefined;
  /** Every call, with what it was given. */
  readonly calls: [name: string, input: unknown][] = [];

  protected note(name: string, input?: unknown): void {
    this.calls.push([name, input]);
    this.before(name, input);
  }

  protected noted<T>(name: string, answer: T, input?: unknown): T {
    this.note(name, input);
    return answer;
  }

  startDownload(input: Parameters<Control['startDownload']>[0]) {
    this.note('startDownload', input);
    if ('magnet' in input && !input.magnet.includes('xt=')) throw invalid('magnet', 'expected a hash in `xt`');
    const download = { ...aDownload, ...this.nextDownload, id: `d${this.downloadList.length + 1}` };
    this.downloadList.push(download);
    return { ...download, joined: null, unused: this.unused, items: null };
  }

  downloads(input: ListRequest) {
    this.note('downloads', input);
    return paged(this.downloadList, input, row => row.id);
  }

  download(input: ById) {
    this.note('download', input);
    return only(this.downloadList, 'download', input.id);
  }

  downloadChunks(input: ById) {
    this.note('downloadChunks', input);
    only(this.downloadList, 'download', input.id);
    return someChunks;
  }

  changeDownload(input: Parameters<Control['changeDownload']>[0]) {
    this.note('changeDownload', input);
    const download = only(this.downloadList, 'download', input.id);
    if (download.state === 'completed') throw new ApiError('CONFLICT', 'the download is already completed');
    const changed = {
      ...download,
      state: input.state ?? download.state,
      name: input.name ?? download.name,
      priority: input.priority ?? download.priority,
      position: input.position === 'top' ? 1 : download.position,
    };
    this.downloadList = this.downloadList.map(row => (row === download ? changed : row));
    return changed;
  }

  verifyDownload(input: ById) {
    this.note('verifyDownload', input);
    const download = only(this.downloadList, 'download', input.id);
    return { ...download, state: 'verifying' as const };
  }

  recoverDownloads() {
    this.note('recoverDownloads');
    return { items: this.recoveredList };
  }

  clearDownloads(input: Parameters<Control['clearDownloads']>[0]) {
    this.note('clearDownloads', input);
    const items = this.downloadList.filter(({ state }) => state === input.state);
    this.downloadList = this.downloadList.filter(row => !items.includes(row));
    return { items: items.map(({ id, name }) => ({ id, name })) };
  }

  removeDownload(input: ById) {
    this.note('removeDownload', input);
    this.downloadList = without(this.downloadList, 'download', input.id);
  }

  explainDownload(input: ById) {
    this.note('explainDownload', input);
    only(this.downloadList, 'download', input.id);
    return anExplanation;
  }
}
