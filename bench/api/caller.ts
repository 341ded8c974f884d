// Calls the API of the servent under test over raw sockets, or listens to its events, in a process of its own.
import { connect, type Socket } from 'node:net';
import type { ApiAt } from '../process/servent.ts';

/** `calls` in all, each connection one after the other. */
export interface Calls {
  kind: 'calls';
  api: ApiAt;
  path: string;
  connections: number;
  calls: number;
}

export interface Called {
  ms: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

/** Until the process is told `counted`. */
export interface Listens {
  kind: 'listens';
  api: ApiAt;
  topics: string;
  subscribers: number;
}

/** Of the subscribers: the fewest and the most. */
export interface Heard {
  subscribers: number;
  events: [number, number];
  /** Events that they were told of as left out because they were slow. */
  skipped: [number, number];
  /** Queries they got, or were told of as one too many for a second. */
  queries: [number, number];
  /** Ids that came twice or out of order. */
  disordered: number;
}

const headOf = ({ port, token }: ApiAt, path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\n\r\n`;

const dial = ({ port }: ApiAt): Socket => connect({ port, host: '127.0.0.1', noDelay: true });

async function call({ api, path, connections, calls }: Calls): Promise<Called> {
  const request = headOf(api, path);
  const latencies: number[] = [];
  let left = calls;
  const one = (): Promise<void> =>
    new Promise((done, failed) => {
      const socket = dial(api);
      let startedAt = 0;
      let got = 0;
      let wanted = -1;
      let head = '';
      const ask = (): void => {
        if (left === 0) {
          socket.destroy();
          done();
          return;
        }
        left--;
        got = 0;
        wanted = -1;
        head = '';
        startedAt = performance.now();
        socket.write(request);
      };
      socket.on('connect', ask);
      socket.on('error', failed);
      socket.on('data', chunk => {
        got += chunk.length;
        if (wanted < 0) {
          head += chunk.toString('latin1');
          const end = head.indexOf('\r\n\r\n');
          if (end < 0) return;
          if (!head.startsWith('HTTP/1.1 200 ')) failed(new Error(head));
          wanted = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1]);
        }
        if (got < wanted) return;
        latencies.push(performance.now() - startedAt);
        ask();
      });
    });
  const began = performance.now();
  await Promise.all(Array.from({ length: connections }, one));
  const ms = performance.now() - began;
  latencies.sort((a, b) => a - b);
  const at = (part: number): number => Number((latencies[Math.floor(part * (latencies.length - 1))] ?? 0).toFixed(2));
  return {
    ms: Math.round(ms),
    perSecond: Math.round((calls / ms) * 1000),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
  };
}

class Subscriber {
  events = 0;
  skipped = 0;
  queries = 0;
  disordered = 0;
  #last = 0;
  #text = '';

  constructor({ api, topics }: Listens) {
    const socket = dial(api).setEncoding('utf8');
    socket.write(headOf(api, `/api/v1/events?topics=${topics}`));
    socket.on('error', error => process.send?.({ error: error.message }));
    socket.on('data', (text: string) => this.#take(text));
  }

  #take(text: string): void {
    const whole = this.#text + text;
    const end = whole.lastIndexOf('\n\n');
    this.#text = end < 0 ? whole : whole.slice(end);
    if (end < 0) return;
    for (let at = whole.indexOf('\nevent: '); at >= 0 && at < end; at = whole.indexOf('\nevent: ', at + 8)) {
      if (whole.startsWith('gap', at + 8))
        this.skipped += Number(/"skipped":(\d+)/.exec(whole.slice(at, at + 200))?.[1] ?? 0);
      else if (whole.startsWith('query.skipped', at + 8))
        this.queries += Number(/"queries":(\d+)/.exec(whole.slice(at, at + 200))?.[1] ?? 0);
      else this.#note(Number(/id: (\d+)$/.exec(whole.slice(Math.max(0, at - 24), at))?.[1]));
    }
  }

  #note(id: number): void {
    this.events++;
    this.queries++;
    if (id <= this.#last) this.disordered++;
    this.#last = id;
  }
}

function listen(asked: Listens): void {
  const subscribers = Array.from({ length: asked.subscribers }, () => new Subscriber(asked));
  const range = (of: (subscriber: Subscriber) => number): [number, number] => {
    const all = subscribers.map(of);
    return [Math.min(...all), Math.max(...all)];
  };
  process.on('message', message => {
    if (message !== 'counted') return;
    const heard: Heard = {
      subscribers: subscribers.length,
      events: range(({ events }) => events),
      skipped: range(({ skipped }) => skipped),
      queries: range(({ queries }) => queries),
      disordered: subscribers.reduce((sum, { disordered }) => sum + disordered, 0),
    };
    process.send?.(heard);
  });
}

process.on('message', (asked: Calls | Listens | 'counted') => {
  if (asked === 'counted') return;
  if (asked.kind === 'listens') listen(asked);
  else
    call(asked).then(
      called => process.send?.(called),
      (error: Error) => process.send?.({ error: error.message }),
    );
});
