// Eight sources of one file: an nginx of our own that answers on as many ports as servents do, and slow ones before it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answering, freePort } from '../serve/nginx.ts';
import { SlowSource } from './slow-source.ts';

export const SOURCES = 8;

/** Which sources are wanted: with a hash tree, without, or without and slow. */
export type Kind = 'tree' | 'plain' | 'slow';

export interface Sources {
  readonly ports: Readonly<Record<Kind, readonly number[]>>;
  readonly version: string;
  stop(): Promise<void>;
}

export interface ServedFile {
  /** Folder of `file.bin` and `tree.dime`. */
  readonly folder: string;
  readonly sha1Urn: string;
  /** Base32. */
  readonly root: string;
}

/** Null when nginx is not installed. `slowBytes`: bytes a second of each slow source. */
export async function startSources(file: ServedFile, folder: string, slowBytes: number): Promise<Sources | null> {
  const probe = spawnSync('nginx', ['-v'], { encoding: 'utf8' });
  if (probe.status !== 0) return null;
  const ports: Record<Kind, number[]> = { tree: [], plain: [], slow: [] };
  for (const kind of ['tree', 'plain'] as const) for (let i = 0; i < SOURCES; i++) ports[kind].push(await freePort());
  const path = (name: string) => join(folder, name);
  const server = (kind: 'tree' | 'plain'): string =>
    `server { ${ports[kind].map(port => `listen 127.0.0.1:${port};`).join(' ')} root ${file.folder};
    location = /uri-res/N2R { add_header X-Gnutella-Content-URN ${file.sha1Urn}; ${kind === 'tree' ? thexHeader(file) : ''} rewrite ^ /file.bin break; }
    location = /uri-res/N2X { default_type application/dime; rewrite ^ /tree.dime break; } }`;
  writeFileSync(
    path('nginx.conf'),
    `daemon off; master_process off; worker_processes 1; pid ${path('nginx.pid')}; error_log ${path('error.log')};
events { worker_connections 256; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_timeout 65; keepalive_requests 100000; default_type application/octet-stream;
  client_body_temp_path ${path('body')}; proxy_temp_path ${path('proxy')}; fastcgi_temp_path ${path('fastcgi')};
  uwsgi_temp_path ${path('uwsgi')}; scgi_temp_path ${path('scgi')};
  ${server('tree')}
  ${server('plain')}
}
`,
  );
  const child = spawn('nginx', ['-p', folder, '-c', path('nginx.conf'), '-e', path('error.log')], { stdio: 'ignore' });
  await answering(ports.plain.at(-1) ?? 0, child);
  const slow = await Promise.all(ports.plain.map(port => SlowSource.start(port, slowBytes)));
  ports.slow.push(...slow.map(({ port }) => port));
  return {
    ports,
    version: /nginx\/(\S+)/.exec(probe.stderr)?.[1] ?? 'unknown',
    stop: async () => {
      for (const source of slow) source.stop();
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

function thexHeader({ sha1Urn, root }: ServedFile): string {
  return `add_header X-Thex-URI "/uri-res/N2X?${sha1Urn};${root}";`;
}
