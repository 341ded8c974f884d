// Carries out the user's actions through the API and shows their results.
import type { CallOf, OutputOf } from '../api/endpoints.ts';
import { type PreviewLines, previewLines } from '../api/preview-lines.ts';
import type { Actions } from './actions.ts';
import { ask } from './ask.ts';
import type { CallName } from './calls.ts';
import { hashOf, type ListName, type Model } from './model.ts';
import type { Resource } from './refresh.ts';
import { type Message, nextSort } from './update.ts';

/** Of either list of a preview. */
const PREVIEW_LINES = 200;

const LOOK_MS = 300;

export interface OrderParts {
  model: () => Model;
  send: (message: Message) => void;
  call: <N extends CallName>(name: N, input: CallOf<N>) => Promise<OutputOf<N>>;
  /** Marks lists and values for reloading. */
  stale: (...resources: Resource[]) => void;
  /** Shows a notice. */
  say: (kind: 'done' | 'failed', text: string) => void;
  /** Returns true for an error of the token, which is already handled. */
  refused: (error: unknown) => boolean;
}

export function orders({ model, send, call, stale, say, refused }: OrderParts): Actions {
  const attempt = async (work: () => Promise<string>, ...lists: ListName[]): Promise<boolean> => {
    try {
      const done = await work();
      stale(...lists);
      say('done', done);
      return true;
    } catch (error) {
      if (!refused(error)) say('failed', error instanceof Error ? error.message : String(error));
      stale(...lists);
      return false;
    }
  };
  const order = (work: () => Promise<string>, ...lists: ListName[]): void => void attempt(work, ...lists);
  const search = (input: CallOf<'startSearch'>): Promise<boolean> =>
    attempt(async () => {
      const { id } = await call('startSearch', input);
      location.hash = hashOf({ view: 'searches', search: id });
      return 'Searching.';
    }, 'searches');

  return {
    span: span => send({ type: 'span', span }),
    turn: (list, to) => {
      send({ type: 'turn', list, to });
      stale(list);
    },
    sort: (list, field) => {
      send({ type: 'sort', list, by: nextSort(model().lists[list].sort, field) });
      stale(list);
    },
    sortTo: (list, by) => {
      send({ type: 'sort', list, by });
      stale(list);
    },
    filter: (list, text) => {
      send({ type: 'filter', list, text });
      stale(list);
    },
    fold: id => {
      send({ type: 'fold', id });
      stale('chunks');
    },
    filterQueries: text => send({ type: 'filterQueries', text }),
    pauseQueries: paused => send({ type: 'pauseQueries', paused }),
    explain: (what, id) =>
      void call(what, { id }).then(
        explanation => send({ type: 'explained', id, explanation }),
        (error: unknown) => {
          if (!refused(error)) say('failed', error instanceof Error ? error.message : String(error));
        },
      ),

    analyse: question => {
      const asked = { question, answer: null, fault: null };
      send({ type: 'analysis', asked });
      scrollTo(0, 0); // the answer stands above the questions
      call('analysis', { id: question, top: 50 }).then(
        answer => send({ type: 'analysis', asked: { ...asked, answer } }),
        (error: unknown) => {
          const fault = error instanceof Error ? error.message : String(error);
          if (!refused(error)) send({ type: 'analysis', asked: { ...asked, fault } });
        },
      );
    },
    lookUp: async text => {
      try {
        let lookup = await call('startDhtLookup', lookupOf(text));
        for (;;) {
          send({ type: 'dhtLookup', lookup });
          if (lookup.state !== 'running') return true;
          await new Promise(resolve => setTimeout(resolve, LOOK_MS));
          lookup = await call('dhtLookup', { id: lookup.id });
        }
      } catch (error) {
        if (!refused(error)) say('failed', error instanceof Error ? error.message : String(error));
        return false;
      }
    },
    connect: address =>
      attempt(async () => {
        const peer = await call('connect', { address });
        return `Connected to ${peer.role} ${peer.address}.`;
      }, 'peers'),
    disconnect: ({ id, address }) =>
      order(async () => {
        await call('disconnect', { id });
        return `Disconnected ${address}.`;
      }, 'peers'),
    search: text => search(/^urn:/i.test(text) ? { urn: text } : { text }),
    browse: address => void search({ browse: address }),
    removeSearch: ({ id }) =>
      order(async () => {
        await call('removeSearch', { id });
        if (model().search === id) location.hash = hashOf({ view: 'searches', search: null });
        return 'Removed the search.';
      }, 'searches'),
    runSaved: ({ id }) =>
      order(
        async () => {
          await call('runSavedSearch', { id });
          return 'Running the saved search.';
        },
        'searches',
        'savedSearches',
      ),
    removeSaved: saved => void removeSaved(saved),
    fetch: (from, { id, name }) =>
      order(async () => {
        await call('startDownload', { search: from, result: id });
        return `Downloading ${name}.`;
      }, 'downloads'),
    fetchLink: link =>
      attempt(async () => {
        const input = /magnet(:|%)/i.test(link) ? { magnet: link } : { urn: link }; // the daemon parses pasted text
        const { name } = await call('startDownload', input);
        return `Downloading ${name}.`;
      }, 'downloads'),
    pause: ({ id, name }) =>
      order(async () => {
        await call('changeDownload', { id, state: 'paused' });
        return `Paused ${name}.`;
      }, 'downloads'),
    resume: ({ id, name }) =>
      order(async () => {
        await call('changeDownload', { id, state: 'active' });
        return `Resumed ${name}.`;
      }, 'downloads'),
    prioritise: ({ id, name }, priority) =>
      order(async () => {
        await call('changeDownload', { id, priority });
        return `${name} has priority ${priority}.`;
      }, 'downloads'),
    verify: ({ id, name }) =>
      order(async () => {
        await call('verifyDownload', { id });
        return `Looking through the bytes of ${name}.`;
      }, 'downloads'),
    move: ({ id, name }, position) =>
      order(async () => {
        await call('changeDownload', { id, position });
        return `Moved ${name} ${position === 'up' || position === 'down' ? position : `to the ${position}`}.`;
      }, 'downloads'),
    clearDownloads: () =>
      order(async () => {
        const { items } = await call('clearDownloads', {});
        return items.length === 1 ? 'Forgot one download.' : `Forgot ${items.length} downloads.`;
      }, 'downloads'),
    removeDownload: download => void removeDownload(download),
    cancelUpload: upload => void cancelUpload(upload),
    share,
    preview,
    unshare: folder => void unshare(folder),
    endScans: () =>
      order(
        async () => {
          await call('cancelHashing', undefined as never);
          return 'Scans and hashing are ended until the next rescan.';
        },
        'folders',
        'files',
      ),
    rescan: () =>
      order(
        async () => {
          const { folders } = await call('rescan', undefined as never);
          return folders === 1 ? 'Scanning one folder.' : `Scanning ${folders} folders.`;
        },
        'folders',
        'files',
      ),
  };

  function share(path: string): Promise<boolean> {
    return attempt(
      async () => {
        await call('shareFolder', { path });
        return `Sharing ${path}.`;
      },
      'folders',
      'files',
    );
  }

  async function preview(path: string): Promise<boolean> {
    let found: PreviewLines | null = null;
    const isThere = await attempt(async () => {
      found = previewLines(await call('previewFolder', { path, limit: PREVIEW_LINES }));
      return `Looked through ${path}.`;
    });
    if (!isThere || found === null) return false;
    const { summary, seen, leftOut, notes }: PreviewLines = found;
    return (await ask(summary, 'Share it', [...notes, ...seen, ...leftOut])) && (await share(path));
  }

  async function removeDownload({ id, name, state }: Parameters<Actions['removeDownload']>[0]): Promise<void> {
    const ends = state !== 'completed';
    if (ends && !(await ask(`Cancel ${name} and delete its partial file?`, 'Cancel the download'))) return;
    order(async () => {
      await call('removeDownload', { id });
      return ends ? `Cancelled ${name}.` : `Removed ${name} from the list; the file stays.`;
    }, 'downloads');
  }

  async function removeSaved({ id, text, urn }: Parameters<Actions['removeSaved']>[0]): Promise<void> {
    const wanted = text ?? urn ?? '';
    if (!(await ask(`Remove the saved search for ${wanted}? What it downloaded stays.`, 'Remove it'))) return;
    order(async () => {
      await call('removeSavedSearch', { id });
      return `Removed the saved search for ${wanted}.`;
    }, 'savedSearches');
  }

  async function cancelUpload({ id, name, address }: Parameters<Actions['cancelUpload']>[0]): Promise<void> {
    if (!(await ask(`Abort the upload of ${name} to ${address}?`, 'Abort the upload'))) return;
    order(async () => {
      await call('cancelUpload', { id });
      return `Aborted the upload of ${name}.`;
    }, 'uploads');
  }

  async function unshare({ id, path }: Parameters<Actions['unshare']>[0]): Promise<void> {
    if (!(await ask(`Stop sharing ${path}? Its files stay where they are.`, 'Stop sharing'))) return;
    order(
      async () => {
        await call('unshareFolder', { id });
        return `No longer sharing ${path}.`;
      },
      'folders',
      'files',
    );
  }
}

/** What is meant, by its length; the daemon says what is wrong with a URN. */
function lookupOf(text: string): CallOf<'startDhtLookup'> {
  if (/^[0-9a-f]{40}$/i.test(text)) return { kuid: text.toLowerCase() };
  if (/^[0-9a-f]{32}$/i.test(text)) return { guid: text.toLowerCase() };
  return { urn: text };
}
