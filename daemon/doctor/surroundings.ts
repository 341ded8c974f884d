// The single checks of `doctor`. Each says what it found and, unless all is well, what to do.

import { X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { access, constants, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { Finding } from '../../api/control.ts';
import { formatBytes } from '../../api/format.ts';
import { setAside } from './attention.ts';

const NODE_MIN = [20, 19] as const;
/** When this was written: no clock that is right can show less. */
const CLOCK_MIN_MS = Date.UTC(2026, 0, 1);
/** Links, transfers, database and shared files of an ultrapeer with default limits, twice over. */
const OPEN_FILES_MIN = 1024;
const DISK_FREE_MIN = 1024 ** 3;
/** With less nothing that matters can be written. */
const DISK_FULL = 1024 ** 2;

const fine = (name: string, detail: string): Finding => ({ name, state: 'ok', detail, mend: null });
const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const name = 'node';
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return fine(name, version);
  return { name, state: 'bad', detail: version, mend: `install Node.js ${NODE_MIN.join('.')} or newer` };
}

export function checkClock(nowMs: number): Finding {
  const name = 'clock';
  const shown = new Date(nowMs).toISOString();
  if (nowMs >= CLOCK_MIN_MS) return fine(name, shown);
  return { name, state: 'bad', detail: `shows ${shown}`, mend: 'set the clock, for example with an NTP service' };
}

export async function checkOpenFiles(): Promise<Finding> {
  const name = 'open files';
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  if (soft === undefined) return fine(name, 'the limit cannot be read on this system');
  if (soft === 'unlimited' || Number(soft) >= OPEN_FILES_MIN) return fine(name, `up to ${soft}`);
  return {
    name,
    state: 'warning',
    detail: `only ${soft}`,
    mend: `"ulimit -n ${OPEN_FILES_MIN * 4}" before the start, or LimitNOFILE in the unit`,
  };
}

export async function checkDataFolder(dataDir: string): Promise<Finding> {
  const name = 'data folder';
  const there = await nearestFolder(dataDir);
  try {
    await access(there, constants.W_OK | constants.X_OK);
  } catch (error) {
    return {
      name,
      state: 'bad',
      detail: `${dataDir} cannot be written (${codeOf(error)})`,
      mend: `give the user who runs the servent write access to ${there}, or choose another folder with --data-dir`,
    };
  }
  return fine(name, there === dataDir ? dataDir : `${dataDir}, made at the first start`);
}

export async function checkDownloadFolder(folder: string): Promise<Finding> {
  const name = 'download folder';
  const there = await nearestFolder(folder);
  try {
    await access(there, constants.W_OK | constants.X_OK);
    return fine(name, there === folder ? folder : `${folder}, made with the first download`);
  } catch (error) {
    return {
      name,
      state: 'bad',
      detail: `${folder} cannot be written (${codeOf(error)})`,
      mend: `give the user who runs the servent write access to ${there}, or choose another folder with --download-dir`,
    };
  }
}

/** Damaged databases of earlier starts that still lie beside the one in use. `known` is said elsewhere. */
export async function checkSetAside(dataDir: string, known: string | null = null): Promise<Finding[]> {
  const names = await readdir(dataDir).catch(() => []); // a folder that is not there, or not ours, has its own finding
  return names
    .filter(name => name.startsWith('store.damaged-'))
    .map(name => join(dataDir, name))
    .filter(path => path !== known)
    .map(path => setAside(path, 'warning'));
}

const CERTIFICATE_LEFT_MS = 14 * 86_400_000;

/** The one that the API shows; none without a file. */
export async function checkCertificate(file: string, nowMs: number): Promise<Finding[]> {
  if (file === '') return [];
  const name = 'API certificate';
  const mend = 'renew it and start the servent again';
  try {
    const untilMs = Date.parse(new X509Certificate(await readFile(file)).validTo);
    const until = new Date(untilMs).toISOString().slice(0, 10);
    if (untilMs <= nowMs) return [{ name, state: 'bad', detail: `${file} was valid until ${until}`, mend }];
    if (untilMs - nowMs < CERTIFICATE_LEFT_MS)
      return [{ name, state: 'warning', detail: `${file} is valid only until ${until}`, mend }];
    return [fine(name, `valid until ${until}`)];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [{ name, state: 'bad', detail: `${file} cannot be used: ${why}`, mend: 'set api.tlsCert to a PEM file' }];
  }
}

/** The token opens everything: its owner's alone. */
export async function checkTokenFile(dataDir: string): Promise<Finding> {
  const name = 'API token';
  const path = join(dataDir, 'api-token');
  const found = await stat(path).catch(() => null);
  if (found === null) return fine(name, 'made at the first start');
  if (process.platform === 'win32' || (found.mode & 0o077) === 0) return fine(name, 'readable by its owner alone');
  return { name, state: 'bad', detail: `${path} can be read by others`, mend: `chmod 600 ${path}` };
}

const ANSWER_WAIT_MS = 2_000;

/** Dials our own port: a firewall of this machine that is in the way shows here. */
export async function checkTcpAnswers({ host, port }: At): Promise<Finding> {
  const name = 'own port';
  const at = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const socket = connect({ host: at, port, timeout: ANSWER_WAIT_MS });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(ANSWER_WAIT_MS) });
    return fine(name, `${at}:${port} takes connections`);
  } catch (error) {
    return {
      name,
      state: 'bad',
      detail: `${at}:${port} does not take connections (${codeOf(error)})`,
      mend: 'look for a firewall on this machine',
    };
  } finally {
    socket.destroy();
  }
}

/** Room where the database is, and where downloads go. */
export async function checkDisks(dataDir: string, downloads: string): Promise<Finding[]> {
  return [
    await checkDisk('disk for data', dataDir, '--data-dir'),
    await checkDisk('disk for downloads', downloads, '--download-dir'),
  ];
}

async function checkDisk(name: string, folder: string, flag: string): Promise<Finding> {
  const space = await statfs(await nearestFolder(folder)).catch(() => null);
  if (space === null) return fine(name, 'the system does not say how much is free');
  const free = space.bavail * space.bsize;
  if (free >= DISK_FREE_MIN) return fine(name, `${formatBytes(free)} free`);
  return {
    name,
    state: free < DISK_FULL ? 'bad' : 'warning',
    detail: `only ${formatBytes(free)} free at ${folder}`,
    mend: `make room, or choose another folder with ${flag}`,
  };
}

/** Of a servent that does not run; `own` is made at its start. */
export async function checkSharedFolders(folders: readonly string[], own: string): Promise<Finding[]> {
  const name = 'shared folder';
  return Promise.all(
    folders.map(async folder => {
      try {
        await readdir(folder);
        return fine(name, folder);
      } catch (error) {
        const missing = codeOf(error) === 'ENOENT';
        const toMake = missing && folder === own;
        return {
          name,
          state: toMake ? ('warning' as const) : ('bad' as const),
          detail: missing
            ? `${folder} is not there${toMake ? ' yet' : ''}`
            : `${folder} cannot be read (${codeOf(error)})`,
          mend: toMake
            ? 'the start makes it, empty: put files there, or share another folder with --share'
            : missing
              ? 'make it, mount its disk, or take it out of library.folders'
              : 'give the user who runs the servent read access to it',
        };
      }
    }),
  );
}

interface At {
  host: string;
  port: number;
}

/** Takes the port for a moment. */
export async function checkPort(what: string, kind: 'tcp' | 'udp', { host, port }: At, flag: string): Promise<Finding> {
  const name = `${what} (${kind})`;
  try {
    await (kind === 'tcp' ? tryTcp(host, port) : tryUdp(host, port));
  } catch (error) {
    const code = codeOf(error);
    const mend: Record<string, string> = {
      EADDRINUSE: `stop the program that has it, or choose another with ${flag}`,
      EACCES: `ports below 1024 need privileges: choose another with ${flag}`,
      EADDRNOTAVAIL: 'this machine does not have the address: choose one it has, or 0.0.0.0',
    };
    return {
      name,
      state: 'bad',
      detail: `${host}:${port} cannot be taken (${code})`,
      mend: mend[code] ?? `choose another with ${flag}`,
    };
  }
  return fine(name, port === 0 ? 'any free one' : `${host}:${port} is free`);
}

async function tryTcp(host: string, port: number): Promise<void> {
  const server = createServer();
  server.listen(port, host);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

async function tryUdp(host: string, port: number): Promise<void> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.bind(port, host);
  await once(socket, 'listening');
  socket.close();
  await once(socket, 'close');
}

/** The folder itself, or the one above it that is there. */
async function nearestFolder(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await stat(at).catch(() => null);
    if (found !== null || at === dirname(at)) return at;
  }
}
