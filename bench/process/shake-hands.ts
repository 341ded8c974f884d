// The handshake of a peer that loads the servent under test, and the QRP table that it sends as a leaf.
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { Type } from '../../protocol/constants.ts';
import { encodeTable } from '../../protocol/qrp/patch.ts';
import { QrpTable } from '../../protocol/qrp/table.ts';
import { encodeDescriptor } from '../../protocol/wire/header.ts';
import { encodeRouteTableUpdate } from '../../protocol/wire/route-table-update.ts';

const HEADERS = [
  'User-Agent: BenchPeer/1',
  'X-Query-Routing: 0.2',
  'X-Ultrapeer-Query-Routing: 0.1',
  'X-Dynamic-Querying: 0.1',
  'X-Degree: 32',
  'X-Max-TTL: 4',
  'Pong-Caching: 0.1',
  'GGEP: 0.5',
  'Bye-Packet: 0.1',
];

export interface Greeting {
  port: number;
  /** Of loopback: each peer can have its own. */
  from: string;
  role: 'ultrapeer' | 'leaf';
  /** Both ways. */
  deflate: boolean;
}

/** A connection, and the bytes that followed the handshake. Rejects when it is refused. */
export async function shakeHands({ port, from, role, deflate }: Greeting): Promise<{ socket: Socket; rest: Buffer }> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true });
  const hello = ['GNUTELLA CONNECT/0.6', ...HEADERS, `X-Ultrapeer: ${role === 'ultrapeer' ? 'True' : 'False'}`];
  if (deflate) hello.push('Accept-Encoding: deflate');
  socket.write(`${hello.join('\r\n')}\r\n\r\n`);
  const rest = await new Promise<Buffer>((resolve, reject) => {
    let head = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.removeListener('data', onData);
      const text = head.toString('latin1', 0, end);
      if (!/^\S+ 200 /.test(text)) reject(new Error(`refused: ${text.split('\r\n', 1)[0]}`));
      else if (deflate && !/\nContent-Encoding: deflate/i.test(text)) reject(new Error('it does not compress'));
      else resolve(head.subarray(end + 4));
    };
    socket.on('data', onData);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed in the handshake')));
  });
  socket.write(`GNUTELLA/0.6 200 OK\r\n${deflate ? 'Content-Encoding: deflate\r\n' : ''}\r\n`);
  return { socket, rest };
}

/** 65,536 slots, the size that leaves of deployed servents send. */
const SLOTS = 65_536;
export const WORDS = Array.from({ length: 1000 }, (_, n) => `ben${n}`);

/** RESET and PATCH of a table with WORDS. */
export function tableFrames(): Buffer {
  const table = new QrpTable(SLOTS);
  for (const word of WORDS) table.insertWord(word);
  const updates = encodeTable(null, table);
  return Buffer.concat(
    updates.map(update => encodeDescriptor(randomBytes(16), Type.Qrp, 1, 0, encodeRouteTableUpdate(update))),
  );
}
