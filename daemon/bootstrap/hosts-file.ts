// Reads host files of servents: one HOST:PORT a line (gtk-gnutella's `hosts`, `ultras`), or LimeWire's gnutella.net.
import type { Bootstrap } from '../../protocol/bootstrap/bootstrap.ts';
import { type Endpoint, endpointOrNull } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { readAddressFile } from '../net/address-file.ts';

/** Largest file read: half a million long lines. */
const BYTES_MAX = 16 * 1024 * 1024;
const HOSTS_MAX = 10_000;
/** gnutella.net: `ip:port,dailyUptime,timeRecorded,…`; a value in this field marks a UDP host cache. */
const LIMEWIRE_UHC_FIELD = 6;

export interface HostsFile {
  hosts: Endpoint[];
  /** HOST:PORT of UDP host caches. */
  udpHostCaches: string[];
  /** Unreadable lines, without comments and blank lines. */
  unreadable: number;
}

/** Adds the hosts and caches of the files to the bootstrap. Logs files that cannot be read. */
export async function readHostsFiles(
  paths: readonly string[],
  bootstrap: Bootstrap,
  clock: Clock,
  log: Log,
): Promise<void> {
  for (const path of paths) {
    try {
      const { hosts, udpHostCaches, unreadable } = await readHostsFile(path);
      bootstrap.addStored(hosts, udpHostCaches, clock.now());
      log.info({ path, hosts: hosts.length, unreadable }, 'a hosts file was read');
    } catch (err) {
      log.warn({ err, path }, 'a hosts file could not be read; it is ignored');
    }
  }
}

/** Rejects with what is wrong with the file. */
export async function readHostsFile(path: string): Promise<HostsFile> {
  return parseHostsFile(await readAddressFile(path, BYTES_MAX));
}

/** Never throws. At most 10,000 hosts; each once. */
export function parseHostsFile(text: string): HostsFile {
  const hosts = new Map<string, Endpoint>();
  const caches = new Set<string>();
  let unreadable = 0;
  for (const raw of text.split(/\r\n|\r|\n/)) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const fields = line.split(/[,\s]/);
    const [address = ''] = fields;
    const endpoint = endpointOrNull(address);
    const failures = line.includes(',') ? fields[LIMEWIRE_UHC_FIELD] : undefined;
    if (failures !== undefined && failures !== '') caches.add(address);
    else if (endpoint === null) unreadable++;
    else if (hosts.size < HOSTS_MAX) hosts.set(address, endpoint);
  }
  return { hosts: [...hosts.values()], udpHostCaches: [...caches].slice(0, HOSTS_MAX), unreadable };
}
