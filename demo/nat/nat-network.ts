// Runs servents in the places of a laboratory: three ultrapeers in the middle, a leaf of two of them in each place.
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { ServentProcess } from '../servent-process.ts';
import { program, until } from '../stage.ts';
import { ApiRelay, lendApi } from './api-relay.ts';
import { Laboratory, type LaboratoryOptions, type Place } from './laboratory.ts';
import { inNamespace } from './namespaces.ts';

const PORT = 6346;
const API_PORT = 6347;
const SETTLED_WAIT_MS = 60_000;
const PORT_WAIT_MS = 20_000;
/** A leaf has this many ultrapeers. The third tests from outside whether it can be reached, as it has had no contact with it. */
const ULTRAPEERS_OF_LEAF = 2;

export interface NatNetworkOptions extends LaboratoryOptions {
  /** Of all data folders; each servent shares the folder `shared` in a folder of its name. */
  readonly folder: string;
  /** More words for `servent start` of each leaf. */
  readonly args?: readonly string[];
}

export class NatNetwork {
  readonly laboratory: Laboratory;
  readonly servents = new Map<string, ServentProcess>();
  readonly #relays: ApiRelay[] = [];
  readonly #options: NatNetworkOptions;

  private constructor(laboratory: Laboratory, options: NatNetworkOptions) {
    this.laboratory = laboratory;
    this.#options = options;
  }

  /** Builds the laboratory and starts all servents. Nothing is left when it rejects. */
  static async start(options: NatNetworkOptions): Promise<NatNetwork> {
    const network = new NatNetwork(await Laboratory.build(options), options);
    try {
      const { ultrapeers, places } = network.laboratory;
      for (const [i, place] of ultrapeers.entries()) {
        await network.#start(place, ultrapeers.slice(0, i), ['--mode', 'ultrapeer', '--relay']);
        await network.#linked(place.name, i);
      }
      await Promise.all([...places.values()].map(place => network.#startLeaf(place)));
      return network;
    } catch (error) {
      await network.stop();
      throw error;
    }
  }

  sharedFolder(name: string): string {
    return join(this.#options.folder, name, 'shared');
  }

  servent(name: string): ServentProcess {
    const servent = this.servents.get(name);
    if (servent === undefined) throw new Error(`no servent ${name}`);
    return servent;
  }

  /** Resolves when each leaf has its ultrapeers, has hashed all that it shares, and has had time to learn by which port others see it. */
  async settled(): Promise<void> {
    const names = [...this.laboratory.places.keys()];
    await until(
      'the leaves are connected and their files hashed',
      async () => {
        for (const name of names) {
          const { peers, library } = await this.servent(name).client.status();
          const files = (await readdir(this.sharedFolder(name))).length;
          if (peers.ultrapeers < ULTRAPEERS_OF_LEAF || library.files < files) return null;
        }
        return true;
      },
      SETTLED_WAIT_MS,
    );
    await until('the leaves know their ports', () => this.#knowsPorts(names), PORT_WAIT_MS).catch(() => false); // searches find less then
  }

  async #knowsPorts(names: readonly string[]): Promise<true | null> {
    for (const name of names) {
      const { findings } = await this.servent(name).client.doctor();
      if (findings.some(({ detail }) => detail.startsWith('not known yet'))) return null;
    }
    return true;
  }

  /** Stops all servents, then removes the laboratory. */
  async stop(): Promise<void> {
    await Promise.all([...this.servents.values()].map(servent => servent.stop()));
    for (const relay of this.#relays) relay.stop();
    await this.laboratory.remove();
  }

  async #linked(name: string, ultrapeers: number): Promise<void> {
    const { client } = this.servent(name);
    await until(
      `${name} is linked with the other ultrapeers`,
      async () => ((await client.status()).peers.ultrapeers >= ultrapeers ? true : null),
      SETTLED_WAIT_MS,
    );
  }

  async #startLeaf(place: Place): Promise<void> {
    const own = this.laboratory.ultrapeers.slice(0, ULTRAPEERS_OF_LEAF);
    await this.#start(place, own, ['--mode', 'leaf', '--seek', '0', ...(this.#options.args ?? [])]);
  }

  async #start(place: Place, neighbours: readonly Place[], args: readonly string[]): Promise<void> {
    const { name } = place;
    const dataDir = join(this.#options.folder, name);
    const shared = this.sharedFolder(name);
    await mkdir(shared, { recursive: true });
    const socket = join(this.#options.folder, `${name}.socket`);
    const relay = await ApiRelay.start(socket);
    this.#relays.push(relay);
    const servent = await ServentProcess.start({
      name,
      program,
      dataDir,
      ...lendApi(socket, API_PORT),
      apiUrl: relay.url,
      wrap: (command, args) => inNamespace(place.namespace, command, args),
      words: ['--profile', 'public', '--no-bootstrap', '--port', String(PORT), '--api-port', String(API_PORT)],
      args: [
        ...neighbours.flatMap(({ outer }) => ['--connect', formatEndpoint({ host: outer, port: PORT })]),
        '--share',
        shared,
        '--log-level',
        'warn',
        ...args,
      ],
    });
    this.servents.set(name, servent);
  }
}
