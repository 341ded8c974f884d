// Loads, on first use, the parts of daemon/ that commands run in their own process. No other file of cli/ imports daemon/.
export type { Analysis } from '../daemon/analysis/analysis.ts';
export type { Log } from '../daemon/log.ts';

export const inProcess = {
  daemon: () => import('../daemon/daemon.ts'),
  engine: () => import('../daemon/v8.ts'),
  supervisor: () => import('../daemon/supervisor.ts'),
  log: () => import('../daemon/log.ts'),
  system: () => import('../daemon/system.ts'),
  cacheServer: () => import('../daemon/bootstrap/cache-server.ts'),
  placeFile: () => import('../daemon/transfer/place-file.ts'),
  hostsFile: () => import('../daemon/bootstrap/hosts-file.ts'),
  backup: () => import('../daemon/backup/backup.ts'),
  analysis: async () => {
    const [analysis, error, duckdb, clickhouse] = await Promise.all([
      import('../daemon/analysis/analysis.ts'),
      import('../daemon/analysis/analysis-error.ts'),
      import('../daemon/analysis/duckdb.ts'),
      import('../daemon/analysis/clickhouse.ts'),
    ]);
    return { ...analysis, ...error, ...duckdb, ...clickhouse };
  },
  crawl: async () => {
    const [crawler, visits, rows, bound, blocks, socks, system, log] = await Promise.all([
      import('../daemon/crawl/crawler.ts'),
      import('../daemon/crawl/visit-file.ts'),
      import('../daemon/crawl/crawl-rows.ts'),
      import('../daemon/net/bound-interface.ts'),
      import('../daemon/net/block-lists.ts'),
      import('../daemon/network/socks-proxy.ts'),
      import('../daemon/system.ts'),
      import('../daemon/log.ts'),
    ]);
    return { ...crawler, ...visits, ...rows, ...bound, ...blocks, ...socks, ...system, ...log };
  },
  replay: async () => {
    const [recorded, replay, dialer] = await Promise.all([
      import('../daemon/replay/recorded-queries.ts'),
      import('../daemon/replay/replay.ts'),
      import('../daemon/net/dialer.ts'),
    ]);
    return { ...recorded, ...replay, ...dialer };
  },
  store: () => import('../daemon/store/store-error.ts'),
  surroundings: () => import('../daemon/doctor/surroundings.ts'),
  blockLists: () => import('../daemon/doctor/block-lists.ts'),
};
