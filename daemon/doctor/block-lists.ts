// Checks the block lists of a servent that is not running.

import type { Finding } from '../../api/control.ts';
import { BlockList } from '../../protocol/wire/block-list.ts';
import { silentLog } from '../log.ts';
import { readBlockLists } from '../net/block-lists.ts';
import { blockListFinding } from './attention.ts';

export async function checkBlockLists(files: readonly string[]): Promise<Finding[]> {
  const { sources, faults } = await readBlockLists({ block: [], files }, new BlockList(), silentLog);
  return [
    ...faults.map(blockListFinding),
    ...sources
      .filter(({ name }) => !faults.some(({ path }) => path === name))
      .map(({ name: detail }): Finding => ({ name: 'block list', state: 'ok', detail, mend: null })),
  ];
}
