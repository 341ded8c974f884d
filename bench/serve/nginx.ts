// An nginx of our own for comparison: its configuration, port and files in a temporary folder, in the foreground, ended by its pid.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export interface RunningNginx {
  port: number;
  version: string;
  stop(): Promise<void>;
}

/** Null when it is not installed. Serves `root` with sendfile, one worker: what a static file server is usually told. */
export async function startNginx(root: string, folder: string): Promise<RunningNginx | null> {
  const probe = spawnSync('nginx', ['-v'], { encoding: 'utf8' });
  if (probe.status !== 0) return null;
  const port = await freePort();
  const config = join(folder, 'nginx.conf');
  const path = (name: string) => join(folder, name);
  writeFileSync(
    config,
    `daemon off; master_process off; worker_processes 1; pid ${path('nginx.pid')}; error_log ${path('error.log')};
events { worker_connections 64; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_timeout 65; default_type application/octet-stream;
  client_body_temp_path ${path('body')}; proxy_temp_path ${path('proxy')}; fastcgi_temp_path ${path('fastcgi')};
  uwsgi_temp_path ${path('uwsgi')}; scgi_temp_path ${path('scgi')};
  server { listen 127.0.0.1:${port}; root ${root}; }
}
`,
  );
  const child = spawn('nginx', ['-p', folder, '-c', config, '-e', path('error.log')], { stdio: 'ignore' });
  await answering(port, child);
  return {
    port,
    version: /nginx\/(\S+)/.exec(probe.stderr)?.[1] ?? 'unknown',
    stop: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export async function answering(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}`);
    const socket = connect({ port, host: '127.0.0.1' });
    const up = await new Promise<boolean>(known => {
      socket.once('connect', () => known(true));
      socket.once('error', () => known(false));
    });
    socket.destroy();
    if (up) return;
    await wait(25);
  }
  throw new Error('nginx does not answer');
}
