import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { writeCrawl } from '../../../daemon/crawl/crawl-rows.ts';
import { parseSegmentFile } from '../../../measure/segment.ts';
import type { CrawledHost } from '../../../protocol/crawl/crawl-report.ts';
import { journalRows } from '../../support/journals.ts';

const host = (port: number): CrawledHost => ({
  ...{ address: `127.0.0.1:${port}`, state: 'answered', why: '', role: 'ultrapeer', userAgent: '', uptime: null },
  ...{ ultrapeers: 1, leaves: 0, way: 'tcp', ms: 1 },
});

t.test('a crawl is a segment a table, and none before all of it is written', async t => {
  const folder = t.testdir({});
  const hosts = Array.from({ length: 5000 }, (_, i) => host(i + 1));
  let seen: string[] = [];
  const edges = {
    // read while the table before it is written and this one is not
    map: <T>(row: (edge: { host: string; neighbour: string; kind: 'leaf'; both: boolean }) => T): T[] => {
      seen = readdirSync(folder);
      return [row({ host: '127.0.0.1:1', neighbour: '127.0.0.1:2', kind: 'leaf', both: false })];
    },
  } as never;
  const paths = writeCrawl(folder, { hosts, edges, asked: 1, beyond: 0 }, 'ab'.repeat(16), 1, 'journal');
  t.strictSame([seen.length, seen.map(parseSegmentFile)], [1, [null]], 'no servent takes it for a segment yet');
  t.strictSame(
    readdirSync(folder)
      .map(file => join(folder, file))
      .sort(),
    [...paths].sort(),
  );
  t.strictSame([journalRows(paths[0] ?? '', 'hosts').length, journalRows(paths[1] ?? '', 'edges').length], [5000, 1]);
});
