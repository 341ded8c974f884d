// Checks of `doctor`. Each returns what it found and, for a problem, what to do.

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
/** A correct clock cannot show an earlier time. */
const CLOCK_MIN_MS = Date.UTC(2026, 0, 1);
/** Twice the descriptors that an ultrapeer with default limits needs. */
const OPEN_FILES_MIN = 1024;
const DISK_FREE_MIN = 1024 ** 3;
/** Below this many bytes the disk counts as full. */
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
  return fine(name, there === dataDir ? dataDir : `${dataDir}, created at the first start`);
}

export async function checkDownloadFolder(folder: string): Promise<Finding> {
  const name = 'download folder';
  const there = await nearestFolder(folder);
  try {
    await access(there, constants.W_OK | constants.X_OK);
    return fine(name, there === folder ? folder : `${folder}, created with the first download`);
  } catch (error) {
    return {
      name,
      state: 'bad',
      detail: `${folder} cannot be written (${codeOf(error)})`,
      mend: `give the user who runs the servent write access to ${there}, or choose another folder with --download-dir`,
    };
  }
}

/** Reports damaged databases of earlier starts. `known` is reported elsewhere. */
export async function checkSetAside(dataDir: string, known: string | null = null): Promise<Finding[]> {
  const names = await readdir(dataDir).catch(() => []); // a missing or unreadable folder has its own finding
  return names
    .filter(name => name.startsWith('store.damaged-'))
    .map(name => join(dataDir, name))
    .filter(path => path !== known)
    .map(path => setAside(path, 'warning'));
}

const CERTIFICATE_LEFT_MS = 14 * 86_400_000;

/** Checks the certificate of the API; no finding without a file. */
export async function checkCertificate(file: string, nowMs: number): Promise<Finding[]> {
  if (file === '') return [];
  const name = 'API certificate';
  const mend = 'renew it and restart the servent';
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

/** Checks that only its owner can read the token file. */
export async function checkTokenFile(dataDir: string): Promise<Finding> {
  const name = 'API token';
  const path = join(dataDir, 'api-token');
  const found = await stat(path).catch(() => null);
  if (found === null) return fine(name, 'created at the first start');
  if (process.platform === 'win32' || (found.mode & 0o077) === 0) return fine(name, 'readable by its owner only');
  return { name, state: 'bad', detail: `${path} can be read by others`, mend: `chmod 600 ${path}` };
}

const ANSWER_WAIT_MS = 2_000;

/** Dials our own port, to detect a firewall on this machine. */
export async function checkTcpAnswers({ host, port }: At): Promise<Finding> {
  const name = 'own port';
  const at = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const socket = connect({ host: at, port, timeout: ANSWER_WAIT_MS });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(ANSWER_WAIT_MS) });
    return fine(name, `${at}:${port} accepts connections`);
  } catch (error) {
    return {
      name,
      state: 'bad',
      detail: `${at}:${port} does not accept connections (${codeOf(error)})`,
      mend: 'check the firewall of this machine',
    };
  } finally {
    socket.destroy();
  }
}

/** Checks free space for the database and for downloads. */
export async function checkDisks(dataDir: string, downloads: string): Promise<Finding[]> {
  return [
    await checkDisk('disk for data', dataDir, '--data-dir'),
    await checkDisk('disk for downloads', downloads, '--download-dir'),
  ];
}

async function checkDisk(name: string, folder: string, flag: string): Promise<Finding> {
  const space = await statfs(await nearestFolder(folder)).catch(() => null);
  if (space === null) return fine(name, 'free space unknown');
  const free = space.bavail * space.bsize;
  if (free >= DISK_FREE_MIN) return fine(name, `${formatBytes(free)} free`);
  return {
    name,
    state: free < DISK_FULL ? 'bad' : 'warning',
    detail: `only ${formatBytes(free)} free at ${folder}`,
    mend: `free disk space, or choose another folder with ${flag}`,
  };
}

/** For a servent that is not running; its start creates `own`. */
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
            ? `${folder} does not exist${toMake ? ' yet' : ''}`
            : `${folder} cannot be read (${codeOf(error)})`,
          mend: toMake
            ? 'the start creates it, empty: put files there, or share another folder with --share'
            : missing
              ? 'create it, mount its disk, or remove it from library.folders'
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

/** Tests a port by binding it for a moment. */
export async function checkPort(what: string, kind: 'tcp' | 'udp', { host, port }: At, flag: string): Promise<Finding> {
  const name = `${what} (${kind})`;
  try {
    await (kind === 'tcp' ? tryTcp(host, port) : tryUdp(host, port));
  } catch (error) {
    const code = codeOf(error);
    const mend: Record<string, string> = {
      EADDRINUSE: `stop the program that uses it, or choose another with ${flag}`,
      EACCES: `ports below 1024 need privileges: choose another with ${flag}`,
      EADDRNOTAVAIL: 'this machine does not have the address: choose another, or 0.0.0.0',
    };
    return {
      name,
      state: 'bad',
      detail: `${host}:${port} cannot be used (${code})`,
      mend: mend[code] ?? `choose another with ${flag}`,
    };
  }
  return fine(name, port === 0 ? 'any free port' : `${host}:${port} is free`);
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

/** The folder itself, or its nearest existing parent. */
async function nearestFolder(folder: string): Promise<string> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await stat(at).catch(() => null);
    if (found !== null || at === dirname(at)) return at;
  }
}
