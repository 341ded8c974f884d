// A peer that links to a servent over loopback, sends queries, and may answer those of others.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { Type } from '../../protocol/constants.ts';
import { encodeDescriptor } from '../../protocol/wire/header.ts';
import { encodeQuery } from '../../protocol/wire/query.ts';
import { encodeQueryHit, PLAIN_HIT, PLAIN_QUERY_HIT } from '../../protocol/wire/query-hit.ts';

const HEADERS = [
  'X-Ultrapeer: True',
  'X-Query-Routing: 0.2',
  'X-Ultrapeer-Query-Routing: 0.1',
  'X-Dynamic-Querying: 0.1',
  'X-Degree: 32',
  'X-Max-TTL: 4',
  'Pong-Caching: 0.1',
  'GGEP: 0.5',
  'Bye-Packet: 0.1',
];

export interface SentQuery {
  readonly text: string;
  readonly ttl?: number;
  readonly hops?: number;
  readonly guid?: Buffer;
}

export class QueryPeer {
  readonly socket: Socket;
  #sent = 0;
  readonly #seed: number;

  private constructor(socket: Socket, seed: number) {
    this.socket = socket;
    this.#seed = seed;
  }

  /** `port` of a servent on loopback; `seed` makes its GUIDs differ from those of other peers. */
  static async connect(t: Test, port: number, seed: number, userAgent = 'QueryPeer/1'): Promise<QueryPeer> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    t.teardown(() => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.write(`${['GNUTELLA CONNECT/0.6', `User-Agent: ${userAgent}`, ...HEADERS].join('\r\n')}\r\n\r\n`);
    let head = '';
    while (!head.includes('\r\n\r\n')) head += (await once(socket, 'data'))[0].toString('latin1');
    if (!/^\S+ 200 /.test(head)) throw new Error(`refused: ${head.split('\r\n', 1)[0]}`);
    socket.write('GNUTELLA/0.6 200 OK\r\n\r\n');
    socket.resume();
    return new QueryPeer(socket, seed);
  }

  guid(n: number): Buffer {
    const guid = Buffer.alloc(16, 0x11);
    guid.writeUInt32BE(this.#seed, 0);
    guid.writeUInt32BE(n, 4);
    guid[8] = 0xff;
    guid[15] = 0;
    return guid;
  }

  /** The GUIDs of the queries. */
  send(queries: readonly SentQuery[]): Buffer[] {
    const guids: Buffer[] = [];
    const frames = queries.map(({ text, ttl = 3, hops = 1, guid = this.guid(++this.#sent) }) => {
      guids.push(guid);
      return encodeDescriptor(guid, Type.Query, ttl, hops, encodeQuery({ text }));
    });
    this.socket.write(Buffer.concat(frames));
    return guids;
  }

  /** A hit with one file for each name. */
  answer(guid: Buffer, names: readonly string[], hops = 0): void {
    const payload = encodeQueryHit({
      ...PLAIN_QUERY_HIT,
      endpoint: { host: '127.0.0.1', port: 6346 },
      speedKbps: 100,
      vendor: 'TEST',
      hits: names.map((name, index) => ({ ...PLAIN_HIT, index, size: 1, name })),
      serventGuid: this.guid(0xffff_ffff),
    });
    this.socket.write(encodeDescriptor(guid, Type.QueryHit, 5, hops, payload));
  }

  async close(): Promise<void> {
    this.socket.end();
    await Promise.race([once(this.socket, 'close'), sleep(2_000)]);
    this.socket.destroy();
  }
}
