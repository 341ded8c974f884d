// The setting `uploads.groups`: slots of their own for some clients.
import {
  GROUP_EXAMPLE,
  GROUPS_MAX,
  readGroup,
  type UploadGroup,
} from '../protocol/transfer/uploads/queue/upload-group.ts';
import type { Checked, Kind } from './kinds.ts';

/** An error says what is wrong with the first bad entry. */
export const uploadGroupList: Kind<UploadGroup[]> = {
  check: (given): Checked<UploadGroup[]> => {
    if (!Array.isArray(given)) return { ok: false, item: null };
    if (given.length > GROUPS_MAX) return { ok: false, item: null, expected: `at most ${GROUPS_MAX} entries` };
    const value: UploadGroup[] = [];
    for (const [item, each] of given.entries()) {
      const group = readGroup(each);
      if (typeof group === 'string') return { ok: false, item, expected: `entry ${item + 1} with ${group}` };
      if (value.some(({ name }) => name === group.name))
        return { ok: false, item, expected: `entry ${item + 1} with another name: there is a group ${group.name}` };
      value.push(group);
    }
    return { ok: true, value };
  },
  expected: `a list, each item with name, slots and one of addresses, agents and gave, such as ${GROUP_EXAMPLE}`,
  fromText: given => {
    try {
      const value: unknown = JSON.parse(given);
      return Array.isArray(value) ? value : [value];
    } catch {
      return given; // rejected by the check
    }
  },
};
