// What a socket agent is asked to do, and the parent's side of it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import { inNamespace } from './namespaces.ts';

export type Order =
  | { readonly kind: 'bind'; readonly port: number }
  | { readonly kind: 'send'; readonly port: number; readonly to: Endpoint; readonly text: string }
  | { readonly kind: 'arrivals'; readonly port: number }
  | { readonly kind: 'listen'; readonly port: number }
  | { readonly kind: 'connect'; readonly to: Endpoint };

/** A datagram that came. */
export interface Arrival {
  readonly text: string;
  readonly from: Endpoint;
}

export interface Answer {
  readonly id: number;
  readonly value: readonly Arrival[] | boolean | null;
  readonly error: string | null;
}

const program = fileURLToPath(new URL('socket-agent.js', import.meta.url));

/** Sockets in a namespace. */
export class SocketAgent {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #ids = 0;

  constructor(namespace: string) {
    const [command, args] = inNamespace(namespace, process.execPath, [program]);
    this.#child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', message => {
      const answer = message as Answer;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    this.#child.once('exit', () => {
      for (const [id, settle] of this.#waiting) settle({ id, value: null, error: 'the socket agent has ended' });
    });
  }

  async bind(port: number): Promise<void> {
    await this.#ask({ kind: 'bind', port });
  }

  async send(port: number, to: Endpoint, text: string): Promise<void> {
    await this.#ask({ kind: 'send', port, to, text });
  }

  /** All that came at the port so far. */
  async arrivals(port: number): Promise<readonly Arrival[]> {
    const value = await this.#ask({ kind: 'arrivals', port });
    return Array.isArray(value) ? value : [];
  }

  /** Accepts TCP connections and closes them. */
  async listen(port: number): Promise<void> {
    await this.#ask({ kind: 'listen', port });
  }

  /** Whether a TCP connection comes about within some hundred milliseconds. */
  async connects(to: Endpoint): Promise<boolean> {
    return (await this.#ask({ kind: 'connect', to })) === true;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  #ask(order: Order): Promise<Answer['value']> {
    const id = this.#ids++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ value, error }) => (error === null ? resolve(value) : reject(new Error(error))));
      this.#child.send({ id, order }, error => {
        if (error !== null) reject(error);
      });
    });
  }
}
