// The setting `downloads.categories`: downloads of one kind, with a folder, limits and rules of their own.
import {
  CATEGORIES_MAX,
  CATEGORY_EXAMPLE,
  type Category,
  readCategory,
} from '../protocol/transfer/downloads/category.ts';
import { entriesOf, type Kind } from './kinds.ts';

/** An error says what is wrong with the first bad entry. */
export const categoryList: Kind<Category[]> = entriesOf<Category>(
  CATEGORIES_MAX,
  `a list, each item with a name and any of folder, maxActive, limit, rules, share and nameTemplate, such as ${CATEGORY_EXAMPLE}`,
  (given, before) => {
    const category = readCategory(given);
    if (typeof category === 'string' || !before.some(({ name }) => name === category.name)) return category;
    return `another name: there is a category ${category.name}`;
  },
);
