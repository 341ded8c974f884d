// Loads, on first use, the parts of daemon/ that commands run in their own process. No other file of cli/ imports daemon/.
export type { Log } from '../daemon/log.ts';

export const inProcess = {
  daemon: () => import('../daemon/daemon.ts'),
  engine: () => import('../daemon/v8.ts'),
  supervisor: () => import('../daemon/supervisor.ts'),
  log: () => import('../daemon/log.ts'),
  system: () => import('../daemon/system.ts'),
  cacheServer: () => import('../daemon/bootstrap/cache-server.ts'),
  hostsFile: () => import('../daemon/bootstrap/hosts-file.ts'),
  backup: () => import('../daemon/backup/backup.ts'),
  store: () => import('../daemon/store/store-error.ts'),
  surroundings: () => import('../daemon/doctor/surroundings.ts'),
  blockLists: () => import('../daemon/doctor/block-lists.ts'),
};
