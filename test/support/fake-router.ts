// A router on 127.0.0.1 that speaks PCP, NAT-PMP and UPnP as a test wants it to, well or badly.
import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

export interface FakeRouterOptions {
  /** What it speaks. */
  speaks?: readonly ('pcp' | 'nat-pmp' | 'upnp')[];
  /** Its address outside. */
  outside?: string;
  /** The external port for one that is asked for; the same when absent. */
  external?: (internal: number, transport: 'tcp' | 'udp') => number;
  /** Seconds that it grants. */
  lifetime?: number;
  /** Error code of mappings instead of a grant. */
  refuse?: number;
  /** Sent in place of answers by UDP. */
  garbage?: Buffer;
  /** Host in the LOCATION of its answers to searches, and in its control URL. */
  location?: string;
  control?: string;
  /** Generation of its UPnP service. */
  generation?: 1 | 2;
  /** Documents are this instead. */
  document?: string;
}

export interface FakeRouter {
  readonly options: FakeRouterOptions;
  /** Of PCP and NAT-PMP. */
  readonly port: number;
  /** Where it listens for searches. */
  readonly searchPort: number;
  /** `pcp tcp 6346`, with `remove` before it, in order. */
  readonly asked: string[];
  /** `tcp 6346` to the external port. */
  readonly mappings: Map<string, number>;
  /** Its tables are lost and its clock begins anew. */
  restart(): void;
}

const transportOf = (iana: number) => (iana === 6 ? 'tcp' : 'udp');

async function bound(t: Test, onMessage: (bytes: Buffer, socket: Socket, port: number) => void): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { port }) => onMessage(bytes, socket, port));
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve));
  t.teardown(() => socket.close());
  return socket.address().port;
}

class Router implements FakeRouter {
  readonly options: FakeRouterOptions;
  port = 0;
  searchPort = 0;
  httpPort = 0;
  readonly asked: string[] = [];
  readonly mappings = new Map<string, number>();
  #epoch = 1000;
  #begun = performance.now();

  constructor(options: FakeRouterOptions) {
    this.options = options;
  }

  restart(): void {
    this.mappings.clear();
    this.#epoch = 0;
    this.#begun = performance.now();
  }

  speaks(what: 'pcp' | 'nat-pmp' | 'upnp'): boolean {
    return (this.options.speaks ?? ['pcp', 'nat-pmp', 'upnp']).includes(what);
  }

  get epoch(): number {
    return this.#epoch + Math.floor((performance.now() - this.#begun) / 1000);
  }

  get outside(): string {
    return this.options.outside ?? '5.5.5.5';
  }

  /** The external port, or 0 when it was taken away. */
  map(by: string, transport: 'tcp' | 'udp', internal: number, lifetime: number): number {
    const key = `${transport} ${internal}`;
    this.asked.push(`${lifetime === 0 ? 'remove ' : ''}${by} ${key}`);
    if (lifetime === 0) this.mappings.delete(key);
    else if (this.options.refuse === undefined)
      this.mappings.set(key, this.options.external?.(internal, transport) ?? internal);
    return this.mappings.get(key) ?? 0;
  }

  onDatagram(bytes: Buffer, socket: Socket, port: number): void {
    const { garbage } = this.options;
    const answer = garbage ?? this.#answer(bytes);
    if (answer !== null) socket.send(answer, port, '127.0.0.1');
  }

  #answer(bytes: Buffer): Buffer | null {
    if (bytes[0] === 2) return this.speaks('pcp') ? this.#pcp(bytes) : this.speaks('nat-pmp') ? this.#version() : null;
    return this.speaks('nat-pmp') ? this.#natPmp(bytes) : null;
  }

  /** How one that speaks NAT-PMP alone answers PCP. */
  #version(): Buffer {
    const answer = Buffer.alloc(8);
    answer[1] = 0x81;
    answer[3] = 1;
    return answer;
  }

  #pcp(bytes: Buffer): Buffer {
    const answer = Buffer.from(bytes);
    const transport = transportOf(bytes.readUInt8(36));
    const asked = bytes.readUInt32BE(4);
    const { refuse, lifetime = asked } = this.options;
    const external = this.map('pcp', transport, bytes.readUInt16BE(40), asked);
    answer[1] = 0x81;
    answer[3] = asked === 0 ? 0 : (refuse ?? 0);
    answer.writeUInt32BE(asked === 0 ? 0 : lifetime, 4);
    answer.writeUInt32BE(this.epoch, 8);
    answer.fill(0, 12, 24);
    answer.writeUInt16BE(external, 42);
    answer.set([...Buffer.alloc(10), 0xff, 0xff, ...this.outside.split('.').map(Number)], 44);
    return answer;
  }

  #natPmp(bytes: Buffer): Buffer {
    const operation = bytes.readUInt8(1);
    const answer = Buffer.alloc(operation === 0 ? 12 : 16);
    answer[1] = 0x80 | operation;
    answer.writeUInt32BE(this.epoch, 4);
    if (operation === 0) answer.set(this.outside.split('.').map(Number), 8);
    else {
      const asked = bytes.readUInt32BE(8);
      const { refuse, lifetime = asked } = this.options;
      const internal = bytes.readUInt16BE(4);
      const external = this.map('nat-pmp', operation === 2 ? 'tcp' : 'udp', internal, asked);
      answer[3] = asked === 0 ? 0 : (refuse ?? 0);
      answer.writeUInt16BE(internal, 8);
      answer.writeUInt16BE(external, 10);
      answer.writeUInt32BE(asked === 0 ? 0 : lifetime, 12);
    }
    return answer;
  }

  onSearch(bytes: Buffer, socket: Socket, port: number): void {
    if (!this.speaks('upnp')) return;
    const target = /^ST: (.*)$/m.exec(bytes.toString())?.[1]?.trim() ?? '';
    if (!target.endsWith(`:${this.options.generation ?? 1}`)) return;
    const host = this.options.location ?? `127.0.0.1:${this.httpPort}`;
    const lines = ['HTTP/1.1 200 OK', `ST: ${target}`, `LOCATION: http://${host}/root.xml`, 'SERVER: fake', '', ''];
    socket.send(lines.join('\r\n'), port, '127.0.0.1');
  }

  onHttp(path: string, action: string, body: string): { status: number; text: string } {
    const { document, control = '/control', generation = 1 } = this.options;
    if (document !== undefined) return { status: 200, text: document };
    if (path === '/root.xml')
      return {
        status: 200,
        text: `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceList><device><deviceList><device><serviceList>
<service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:${generation}</serviceType><controlURL>${control}</controlURL></service>
</serviceList></device></deviceList></device></deviceList></device></root>`,
      };
    return this.#act(action.replace(/^.*#|"/g, ''), body);
  }

  #act(action: string, body: string): { status: number; text: string } {
    const field = (name: string) => new RegExp(`<${name}>([^<]*)<`).exec(body)?.[1] ?? '';
    const answer = (fields: string) => ({
      status: 200,
      text: `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><u:${action}Response xmlns:u="x">${fields}</u:${action}Response></s:Body></s:Envelope>`,
    });
    if (action === 'GetExternalIPAddress')
      return answer(`<NewExternalIPAddress>${this.outside}</NewExternalIPAddress>`);
    const transport = field('NewProtocol') === 'TCP' ? 'tcp' : 'udp';
    if (action === 'DeletePortMapping') {
      const external = Number(field('NewExternalPort'));
      const key = [...this.mappings].find(([of, port]) => of.startsWith(transport) && port === external)?.[0] ?? '';
      this.asked.push(`remove upnp ${key}`);
      this.mappings.delete(key);
      return answer('');
    }
    const { refuse } = this.options;
    const internal = Number(field('NewInternalPort'));
    const chosen = this.map('upnp', transport, internal, 1);
    // the elder action gives the port that was asked for, or none
    const external = action === 'AddAnyPortMapping' ? chosen : Number(field('NewExternalPort'));
    if (refuse === undefined) this.mappings.set(`${transport} ${internal}`, external);
    if (refuse !== undefined)
      return {
        status: 500,
        text: `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError><errorCode>${refuse}</errorCode><errorDescription>no &lt;way&gt;</errorDescription></UPnPError></detail></s:Fault></s:Body></s:Envelope>`,
      };
    return answer(action === 'AddAnyPortMapping' ? `<NewReservedPort>${external}</NewReservedPort>` : '');
  }
}

export async function startFakeRouter(t: Test, options: FakeRouterOptions = {}): Promise<FakeRouter> {
  const router = new Router({ ...options });
  const http: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', chunk => {
      body += chunk;
    });
    request.on('end', () => {
      const { status, text } = router.onHttp(request.url ?? '', String(request.headers['soapaction'] ?? ''), body);
      response.writeHead(status, { 'Content-Type': 'text/xml' });
      response.end(text);
    });
  });
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve));
  t.teardown(() => http.close());
  router.httpPort = (http.address() as AddressInfo).port;
  router.port = await bound(t, (bytes, socket, port) => router.onDatagram(bytes, socket, port));
  router.searchPort = await bound(t, (bytes, socket, port) => router.onSearch(bytes, socket, port));
  return router;
}
