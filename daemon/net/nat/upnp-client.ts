// Calls the router by UPnP: finds it by SSDP, reads its description, and calls its actions over HTTP. Every wait and answer is bounded.
import { createSocket } from 'node:dgram';
import { request } from 'node:http';
import { ProtocolError } from '../../../protocol/errors.ts';
import type { UpnpAnswer, UpnpCall } from '../../../protocol/nat/router-shell.ts';
import { encodeCall, parseSoapAnswer } from '../../../protocol/nat/soap.ts';
import { encodeSearches, locationIn, SSDP_GROUP } from '../../../protocol/nat/ssdp.ts';
import { serviceIn, type UpnpService } from '../../../protocol/nat/upnp-service.ts';
import { XML_BYTES_MAX } from '../../../protocol/nat/xml-text.ts';
import { canonicalHost, type Endpoint } from '../../../protocol/wire/endpoint.ts';

/** Devices spread their answers over two seconds. */
const SEARCH_MS = 3_000;
const HTTP_MS = 4_000;
/** Answers of the router looked at in one search: those of others are dropped by their sender, and take nobody's place. */
const ANSWERS_MAX = 32;
const SEARCH_HOPS = 2;

export interface UpnpClientOptions {
  /** Our address in the router's network: the search and the calls leave from it, and the ports are forwarded to it. */
  readonly client: string;
  /** Answers of others are ignored. */
  readonly router: string;
  /** Where searches are sent; by default to all of the network. */
  readonly searchAt?: Endpoint;
  readonly searchMs?: number;
  /** Text that the router shows with the mapping. */
  readonly description: string;
  /** An answer to a search was not the router's, or led elsewhere. */
  readonly onForeign?: () => void;
}

export class UpnpClient {
  readonly #options: UpnpClientOptions;
  #service: UpnpService | null = null;

  constructor(options: UpnpClientOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async call(call: UpnpCall, signal: AbortSignal): Promise<UpnpAnswer> {
    try {
      return call.kind === 'find' ? await this.#find(signal) : await this.#act(call, signal);
    } catch (error) {
      if (error instanceof ProtocolError) return { kind: 'failed', text: `UPnP: ${error.message}` };
      const why = error instanceof Error ? error.message : String(error);
      return { kind: 'failed', text: `the router did not answer by UPnP (${why})` };
    }
  }

  async #find(signal: AbortSignal): Promise<UpnpAnswer> {
    let trouble: unknown = null;
    for await (const location of this.#locations(signal)) {
      try {
        this.#service = serviceIn(await this.#http(location, null, null, signal), location);
        return { kind: 'done' };
      } catch (error) {
        trouble = error;
      }
    }
    if (trouble !== null) throw trouble;
    return { kind: 'failed', text: 'no router answers by UPnP' };
  }

  /** Where the router describes itself, as the answers come in. */
  async *#locations(signal: AbortSignal): AsyncGenerator<URL> {
    const { client, router, searchAt = SSDP_GROUP, searchMs = SEARCH_MS, onForeign = () => {} } = this.#options;
    const socket = createSocket('udp4');
    const found: URL[] = [];
    let wake = (): void => {};
    let answers = 0;
    socket.on('error', () => wake());
    socket.on('message', (bytes, { address }) => {
      if (canonicalHost(address) !== router) return onForeign();
      if (++answers > ANSWERS_MAX) return;
      try {
        const location = locationIn(bytes, router);
        if (location !== null && !found.some(({ href }) => href === location.href)) found.push(location);
      } catch {
        onForeign(); // it names another host, or is no answer
      }
      wake();
    });
    const deadline = performance.now() + searchMs;
    const end = () => wake();
    signal.addEventListener('abort', end);
    try {
      await new Promise<void>((bound, failed) => {
        socket.once('error', failed);
        socket.bind({ address: client, port: 0 }, bound);
      });
      if (searchAt === SSDP_GROUP) {
        socket.setMulticastInterface(client);
        socket.setMulticastTTL(SEARCH_HOPS);
      }
      for (const search of encodeSearches()) socket.send(search, searchAt.port, searchAt.host, () => {});
      for (let next = 0; performance.now() < deadline && !signal.aborted; ) {
        const location = found[next];
        if (location !== undefined) {
          next++;
          yield location;
          continue;
        }
        await new Promise<void>(resolve => {
          const timer = setTimeout(resolve, Math.max(1, deadline - performance.now()));
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    } finally {
      signal.removeEventListener('abort', end);
      socket.close();
    }
  }

  async #act(call: Exclude<UpnpCall, { kind: 'find' }>, signal: AbortSignal): Promise<UpnpAnswer> {
    const service = this.#service;
    if (service === null) return { kind: 'failed', text: 'no router answers by UPnP' };
    const [action, args] = this.#actionOf(call, service);
    const body = encodeCall(service.type, action, args);
    const answer = parseSoapAnswer(await this.#http(service.control, `"${service.type}#${action}"`, body, signal));
    if (answer.kind === 'fault') return { kind: 'refused', code: answer.code, text: answer.text };
    if (call.kind === 'address') {
      const host = canonicalHost(answer.values.get('NewExternalIPAddress') ?? '');
      return { kind: 'address', host: host ?? '0.0.0.0' };
    }
    if (call.kind === 'remove') return { kind: 'done' };
    const reserved = Number(answer.values.get('NewReservedPort') ?? call.externalPort);
    const port = Number.isInteger(reserved) && reserved >= 0 && reserved <= 65_535 ? reserved : 0;
    return { kind: 'added', externalPort: port };
  }

  #actionOf(
    call: Exclude<UpnpCall, { kind: 'find' }>,
    { choosesPort }: UpnpService,
  ): [string, (readonly [string, string | number])[]] {
    if (call.kind === 'address') return ['GetExternalIPAddress', []];
    const which = [
      ['NewRemoteHost', ''],
      ['NewExternalPort', call.externalPort],
      ['NewProtocol', call.transport.toUpperCase()],
    ] as const;
    if (call.kind === 'remove') return ['DeletePortMapping', [...which]];
    const { client, description } = this.#options;
    return [
      choosesPort ? 'AddAnyPortMapping' : 'AddPortMapping',
      [
        ...which,
        ['NewInternalPort', call.internalPort],
        ['NewInternalClient', client],
        ['NewEnabled', 1],
        ['NewPortMappingDescription', description],
        ['NewLeaseDuration', call.lifetime],
      ],
    ];
  }

  /** The body of the answer, whatever its status: faults come with 500. No redirects are followed. */
  #http(url: URL, action: string | null, body: Buffer | null, signal: AbortSignal): Promise<Buffer> {
    const headers =
      body === null || action === null
        ? {}
        : { 'Content-Type': 'text/xml; charset="utf-8"', 'Content-Length': body.length, SOAPAction: action };
    return new Promise((done, failed) => {
      const options = {
        method: body === null ? 'GET' : 'POST',
        agent: false,
        localAddress: this.#options.client,
        maxHeaderSize: 8_192,
        headers: { ...headers, Connection: 'close' },
        signal: AbortSignal.any([signal, AbortSignal.timeout(HTTP_MS)]),
      } as const;
      const asked = request(url, options, response => {
        const { statusCode = 0 } = response;
        if (statusCode !== 200 && statusCode !== 500) {
          response.destroy();
          return failed(new ProtocolError('HTTP_MALFORMED', `the router answered with status ${statusCode}`));
        }
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes <= XML_BYTES_MAX) chunks.push(chunk);
          else response.destroy(new ProtocolError('WIRE_TOO_LONG', 'a document of the router is too long'));
        });
        response.on('end', () => done(Buffer.concat(chunks)));
        response.on('error', failed);
      });
      asked.on('error', failed);
      asked.end(body);
    });
  }
}
