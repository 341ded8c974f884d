// Links of limited rate, as a fluid: each connection flows at its max-min fair share of the sender's uplink and the receiver's downlink
// (Bertsekas and Gallager, "Data Networks", section 6.5.2). One connection from a node to another; its transfers go one after the other.

/** Virtual time in milliseconds. */
export interface Clock {
  readonly now: number;
  after(ms: number, run: () => void): void;
}

export interface LinkRates {
  /** Of each node, in units a second, above 0 and finite. */
  readonly up: ArrayLike<number>;
  readonly down: ArrayLike<number>;
}

export interface Transfer {
  /** Units that are still to come. */
  left: number;
  readonly onDone: () => void;
}

interface Connection {
  /** Numbers of the uplink and the downlink that it uses. */
  readonly up: number;
  readonly down: number;
  rate: number;
  readonly transfers: Transfer[];
}

/** Transfers that end within so many milliseconds end together; shares that differ by less than this part are one. */
const TIE_MS = 1e-3;
const TIE_SHARE = 1e-9;

export class FluidLinks {
  readonly #clock: Clock;
  /** Rate of each link: the uplink of node n is 2n, its downlink 2n + 1. */
  readonly #rates: Float64Array;
  readonly #connections = new Map<number, Connection>();
  readonly #nodes: number;
  /** What of each link is not yet given away, connections that share it, and 1 if it is full: of the last computation. */
  readonly #free: Float64Array;
  readonly #users: Uint32Array;
  readonly #full: Uint8Array;
  readonly #pauseMs: number;
  #advancedAt: number;
  #changed = false;
  /** Only the newest of the times at which something was to end counts. */
  #alarm = 0;

  /** Shares are computed again at most once in `pauseMs`: a new connection waits so long, and what an ended one leaves is idle. */
  constructor(clock: Clock, { up, down }: LinkRates, pauseMs = 0) {
    this.#clock = clock;
    this.#nodes = up.length;
    this.#advancedAt = clock.now;
    this.#rates = Float64Array.from({ length: 2 * up.length }, (_, link) => {
      const rate = (link % 2 === 0 ? up : down)[link >> 1] ?? 0;
      if (!(rate > 0 && rate < Number.POSITIVE_INFINITY)) throw new RangeError(`rate of a link: ${rate}`);
      return rate;
    });
    this.#free = new Float64Array(this.#rates.length);
    this.#users = new Uint32Array(this.#rates.length);
    this.#full = new Uint8Array(this.#rates.length);
    this.#pauseMs = pauseMs;
  }

  /** Connections that something flows over. */
  get active(): number {
    return this.#connections.size;
  }

  /** Units a second that flow from one node to the other. */
  rate(from: number, to: number): number {
    if (this.#changed) this.#share();
    return this.#connections.get(this.#key(from, to))?.rate ?? 0;
  }

  /** Sends so many units once what waits on the same connection has been sent; returns what `cancel` takes. */
  send(from: number, to: number, units: number, onDone: () => void): Transfer {
    const transfer: Transfer = { left: units, onDone };
    const key = this.#key(from, to);
    const connection = this.#connections.get(key);
    if (connection !== undefined) connection.transfers.push(transfer);
    else {
      this.#advance();
      this.#connections.set(key, { up: 2 * from, down: 2 * to + 1, rate: 0, transfers: [transfer] });
      this.#change();
    }
    return transfer;
  }

  /** Sends no more of it; what has flowed is wasted. */
  cancel(from: number, to: number, transfer: Transfer): void {
    const key = this.#key(from, to);
    const connection = this.#connections.get(key);
    const index = connection?.transfers.indexOf(transfer) ?? -1;
    if (connection === undefined || index < 0) return;
    this.#advance();
    connection.transfers.splice(index, 1);
    if (connection.transfers.length === 0) this.#connections.delete(key);
    this.#change();
  }

  /** Drops whatever is under way to or from the node. */
  cut(node: number): void {
    this.#advance();
    for (const [key, { up, down }] of this.#connections)
      if (up === 2 * node || down === 2 * node + 1) this.#connections.delete(key);
    this.#change();
  }

  #key(from: number, to: number): number {
    return from * this.#nodes + to;
  }

  #change(): void {
    if (this.#changed) return;
    this.#changed = true;
    this.#clock.after(this.#pauseMs, () => this.#settle());
  }

  #advance(): void {
    const seconds = (this.#clock.now - this.#advancedAt) / 1000;
    this.#advancedAt = this.#clock.now;
    if (seconds === 0) return;
    for (const { rate, transfers } of this.#connections.values()) {
      const [first] = transfers;
      if (first !== undefined) first.left -= rate * seconds;
    }
  }

  #settle(): void {
    if (this.#changed) this.#share();
    this.#watch();
  }

  /** Wakes when the next transfer is through. */
  #watch(): void {
    let seconds = Number.POSITIVE_INFINITY;
    for (const { rate, transfers } of this.#connections.values())
      if (rate > 0) seconds = Math.min(seconds, (transfers[0]?.left ?? 0) / rate);
    const alarm = ++this.#alarm;
    if (seconds < Number.POSITIVE_INFINITY)
      this.#clock.after(Math.max(0, seconds * 1000), () => {
        if (alarm === this.#alarm) this.#end();
      });
  }

  /** Ends what is through by now. */
  #end(): void {
    this.#advance();
    const ended: Transfer[] = [];
    for (const [key, { rate, transfers }] of this.#connections) {
      const [first] = transfers;
      if (first === undefined || rate === 0 || first.left > (rate * TIE_MS) / 1000) continue;
      ended.push(first);
      transfers.shift();
      if (transfers.length > 0) continue;
      this.#connections.delete(key);
      this.#change();
    }
    for (const { onDone } of ended) onDone();
    if (!this.#changed || this.#pauseMs > 0) this.#watch();
  }

  /** Progressive filling: all rates grow alike until a link is full; those over it stay, the others grow on. */
  #share(): void {
    this.#advance();
    this.#changed = false;
    const free = this.#free;
    const users = this.#users;
    free.set(this.#rates);
    users.fill(0);
    const growing = [...this.#connections.values()];
    for (const { up, down } of growing) {
      users[up] = (users[up] ?? 0) + 1;
      users[down] = (users[down] ?? 0) + 1;
    }
    while (growing.length > 0) {
      const least = this.#fillNext();
      let kept = 0;
      for (const connection of growing) {
        const { up, down } = connection;
        if (this.#full[up] === 0 && this.#full[down] === 0) {
          growing[kept++] = connection;
          continue;
        }
        connection.rate = least;
        free[up] = (free[up] ?? 0) - least;
        free[down] = (free[down] ?? 0) - least;
        users[up] = (users[up] ?? 0) - 1;
        users[down] = (users[down] ?? 0) - 1;
      }
      growing.length = kept;
    }
  }

  /** Marks the links that are full first, and returns the rate of what flows over them. */
  #fillNext(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const [link, count] of this.#users.entries())
      if (count > 0) least = Math.min(least, (this.#free[link] ?? 0) / count);
    const bound = least * (1 + TIE_SHARE);
    for (const [link, count] of this.#users.entries())
      this.#full[link] = count > 0 && (this.#free[link] ?? 0) / count <= bound ? 1 : 0;
    return least;
  }
}
