// What happens in the daemon, for whoever wants to know: the event log, and through it streams, webhooks and commands.
import type {
  ConfigPlan,
  DownloadView,
  FolderView,
  PeerView,
  ResultView,
  SearchView,
  StatusView,
  UploadView,
} from '../../api/control.ts';
import type { Topic } from '../../api/schemas/events.ts';

/** Rare things only: whatever happens per descriptor is a counter. */
export interface Events {
  'link.opened': PeerView;
  'link.closed': { id: string; address: string; code: number; reason: string };
  'search.started': SearchView;
  'search.finished': SearchView;
  'search.result': { search: string; result: ResultView };
  'download.added': DownloadView;
  /** Another state or priority; progress is `download.progress` of the stream. */
  'download.changed': DownloadView;
  'download.finished': DownloadView;
  'download.failed': DownloadView;
  'download.removed': { id: string };
  'upload.started': UploadView;
  'upload.finished': UploadView & { total: number };
  'library.scanned': FolderView;
  'status.started': StatusView;
  'status.stopping': { uptime: number };
  'status.configured': ConfigPlan;
}

export type EventName = keyof Events;
type Listener<N extends EventName> = (event: Events[N], name: N) => void;
export type AnyListener = (event: Events[EventName], name: EventName) => void;

/** Where each is listened to. */
export const TOPIC_OF: Readonly<Record<EventName, Topic>> = {
  'link.opened': 'peers',
  'link.closed': 'peers',
  'search.started': 'searches',
  'search.finished': 'searches',
  'search.result': 'searches',
  'download.added': 'downloads',
  'download.changed': 'downloads',
  'download.finished': 'downloads',
  'download.failed': 'downloads',
  'download.removed': 'downloads',
  'upload.started': 'uploads',
  'upload.finished': 'uploads',
  'library.scanned': 'library',
  'status.started': 'status',
  'status.stopping': 'status',
  'status.configured': 'status',
};

export interface EventBusOptions {
  /** A listener that throws is a mistake of ours and must not stop whoever emitted. */
  onMistake: (error: unknown, name: EventName) => void;
}

export class EventBus {
  readonly #listeners = new Map<EventName, Set<AnyListener>>();
  readonly #everything = new Set<AnyListener>();
  readonly #onMistake: EventBusOptions['onMistake'];

  constructor({ onMistake }: EventBusOptions) {
    this.#onMistake = onMistake;
  }

  /** Returns what takes the listener off again. */
  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener as AnyListener);
    return () => listeners.delete(listener as AnyListener);
  }

  onAny(listener: AnyListener): () => void {
    this.#everything.add(listener);
    return () => this.#everything.delete(listener);
  }

  /** Listeners run at once and in order. */
  emit<N extends EventName>(name: N, event: Events[N]): void {
    for (const listeners of [this.#listeners.get(name), this.#everything]) {
      if (listeners === undefined) continue;
      for (const listener of listeners) {
        try {
          listener(event, name);
        } catch (error) {
          this.#onMistake(error, name);
        }
      }
    }
  }
}
