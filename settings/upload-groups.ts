// The setting `uploads.groups`: slots of their own for some clients.
import {
  GROUP_EXAMPLE,
  GROUPS_MAX,
  readGroup,
  type UploadGroup,
} from '../protocol/transfer/uploads/queue/upload-group.ts';
import { entriesOf, type Kind } from './kinds.ts';

/** An error says what is wrong with the first bad entry. */
export const uploadGroupList: Kind<UploadGroup[]> = entriesOf<UploadGroup>(
  GROUPS_MAX,
  `a list, each item with name, slots and one of addresses, agents and gave, such as ${GROUP_EXAMPLE}`,
  (given, before) => {
    const group = readGroup(given);
    if (typeof group === 'string' || !before.some(({ name }) => name === group.name)) return group;
    return `another name: there is a group ${group.name}`;
  },
);
