// Runs the doctor's checks within the daemon: surroundings, reachability, neighbours, bootstrap.
import type { Finding, KeptNeighbourView, NatView, StatusView } from '../../api/control.ts';
import { counted, formatLeftOut, keptText } from '../../api/format.ts';
import type { ReachAccount } from '../../protocol/overlay/reach/firewall.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import { formatEndpoint, reachOf } from '../../protocol/wire/endpoint.ts';
import type { Settings } from '../../settings/settings.ts';
import type { MediaStatus } from '../library/media-intake.ts';
import type { FolderStatus } from '../library/shared-folder.ts';
import { UDP, udpTaken } from './attention.ts';
import { checkReach, checkStreams, type StreamFacts } from './reach.ts';
import { checkInterface, checkMapping } from './reached.ts';
import {
  checkCertificate,
  checkClock,
  checkDataFolder,
  checkDisks,
  checkDownloadFolder,
  checkNode,
  checkOpenFiles,
  checkSetAside,
  checkTcpAnswers,
  checkTokenFile,
} from './surroundings.ts';

/** State of the network connection. */
export interface Connected {
  settings: Settings;
  gnutella: Endpoint;
  /** The address that we announce. */
  listen: Endpoint;
  ipv6: string | null;
  udpOpen: boolean;
  /** Of the interfaces of this machine. */
  addresses: readonly string[];
  nat: NatView;
  /** All connections go through a proxy; nobody can connect to us. */
  proxied: boolean;
  /** The port is open. */
  listening: boolean;
  /** Reachability, and its evidence. */
  reach: { tcp: ReachAccount; udp: ReachAccount };
  stream: StreamFacts;
  peers: number;
  hosts: number;
  bootstrap: StatusView['bootstrap'];
  kept: readonly KeptNeighbourView[];
  /** Of the DHT. */
  dht: Finding;
  /** Of relaying for leaves, when it is wanted. */
  relay?: Finding | null;
}

export interface Patient extends Connected {
  nowMs: number;
  folders: readonly FolderStatus[];
  media: MediaStatus;
  /** Reported in `attention`. */
  damagedAside: string | null;
  /** Findings of the known state. */
  attention: readonly Finding[];
}

export async function examine(patient: Patient): Promise<Finding[]> {
  const { settings, nowMs, gnutella, attention, damagedAside } = patient;
  const found: Finding[] = [
    checkNode(process.versions.node),
    ...(attention.some(({ name }) => name === 'clock') ? [] : [checkClock(nowMs)]),
    await checkOpenFiles(),
    await checkDataFolder(settings.dataDir),
    await checkTokenFile(settings.dataDir),
    ...(await checkSetAside(settings.dataDir, damagedAside)),
    await checkDownloadFolder(settings.downloads.folder),
    ...(await checkDisks(settings.dataDir, settings.downloads.folder)),
    ...(await checkCertificate(settings.api.tlsCert, nowMs)),
    ...sound(patient),
    ...(patient.listening ? [await checkTcpAnswers(gnutella)] : []),
    ...checkNetwork(patient),
  ];
  // checkNetwork reports UDP
  return [...found, ...attention.filter(({ name }) => name !== UDP)];
}

/** Damaged files and files under a wrong name are common, and take part in everything else. */
function unreadText({ known, failed }: MediaStatus): string {
  return `${failed} of ${counted(known + failed, 'media file')} could not be read: shared without title and length; the log named them`;
}

/** Findings for shared folders, metadata and block lists without errors. */
function sound({ settings, folders, media, attention }: Patient): Finding[] {
  const fine = (name: string, detail: string): Finding => ({ name, state: 'ok', detail, mend: null });
  const { blockLists } = settings.gnutella;
  return [
    ...folders.flatMap(({ path, error, leftOut }) => {
      if (error !== null) return [];
      return [fine('shared folder', leftOut.length === 0 ? path : `${path}; left out: ${formatLeftOut(leftOut)}`)];
    }),
    ...(media.failed === 0 ? [] : [fine('metadata', unreadText(media))]),
    ...blockLists.flatMap(path =>
      attention.some(({ name, detail }) => name === 'block list' && detail.startsWith(`${path} `))
        ? []
        : [fine('block list', path)],
    ),
  ];
}

/** Pure. */
export function checkNetwork({
  settings,
  gnutella,
  listen,
  ipv6,
  udpOpen,
  addresses,
  reach,
  stream,
  proxied,
  nat,
  peers,
  hosts,
  bootstrap,
  kept,
  dht,
  relay = null,
}: Connected): Finding[] {
  const facts = { port: gnutella.port, isOwnAddress: addresses.includes(listen.host), peers };
  const usable = settings.profile === 'local' || reachOf(listen.host) === 'public' || settings.profile === 'lan';
  if (proxied)
    return [
      {
        name: 'proxy',
        state: 'ok',
        detail:
          'all connections go through proxy.socks: no UDP, no DHT, no port mapping, and nobody can connect to this servent',
        mend: null,
      },
      checkBootstrap(bootstrap, peers, hosts),
      ...kept.map(checkKept),
    ];
  return [
    checkReach('TCP', reach.tcp, facts),
    settings.gnutella.udp && !udpOpen ? udpTaken(gnutella.port) : checkReach('UDP', reach.udp, facts),
    ...(reach.tcp.state === 'open' ? [] : [checkStreams(stream)]),
    usable
      ? { name: 'address', state: 'ok', detail: formatEndpoint(listen), mend: null }
      : {
          name: 'address',
          state: 'warning',
          detail: `${formatEndpoint(listen)} is not valid outside this network`,
          mend: 'wait until neighbours report the public address, or listen on it with --host',
        },
    ...checkMapping(nat, gnutella.port),
    ...checkInterface(nat),
    { name: 'IPv6', state: 'ok', detail: ipv6 ?? 'no public address; not needed', mend: null },
    checkBootstrap(bootstrap, peers, hosts),
    dht,
    ...(relay === null ? [] : [relay]),
    ...kept.map(checkKept),
  ];
}

function checkKept(kept: KeptNeighbourView): Finding {
  const found = { name: `neighbour ${kept.address}`, detail: keptText(kept) };
  if (kept.failures === 0 || kept.why === null) return { ...found, state: 'ok', mend: null };
  return {
    ...found,
    state: 'warning',
    mend: 'check its address and that it runs, or remove it from gnutella.connect; it is tried again automatically',
  };
}

/** A warning after a whole round of caches without a neighbour. */
function checkBootstrap(
  { state, detail, round, caches }: StatusView['bootstrap'],
  peers: number,
  hosts: number,
): Finding {
  const found = { name: 'bootstrap', detail: `${counted(hosts, 'host')} known; ${detail}` };
  const trying = state === 'asking' || state === 'waiting';
  if (peers === 0 && hosts === 0 && !trying)
    return { ...found, state: 'warning', mend: 'start with --bootstrap, --cache ADDRESS or --hosts-file FILE' };
  if (peers > 0 || !trying || (round <= 1 && state === 'asking')) return { ...found, state: 'ok', mend: null };
  const silent = caches.udp.answered + caches.web.answered === 0;
  const mend = silent
    ? 'check that this machine has a network and allows UDP and DNS; or give a cache with --cache ADDRESS, a host with --connect HOST'
    : 'nothing to do: it continues automatically; if you know a host, use "servent connect HOST"';
  return { ...found, state: 'warning', mend };
}
