// Config view: values in force and their sources.

import type { SettingView } from '../../api/control.ts';
import type { Fields } from '../../api/fields.ts';
import { listFields } from '../../api/outline.ts';
import { drawListWithDetails } from '../draw-list.ts';
import type { View } from '../stage.ts';
import type { ListSpec } from '../table.ts';
import type { Meaning } from '../theme.ts';

const NONE: readonly SettingView[] = [];
const ORIGIN_MEANING: Record<SettingView['origin'], Meaning> = {
  flag: 'warn',
  environment: 'warn',
  file: 'good',
  profile: 'info',
  default: 'dim',
};

/** Formats a value as in the configuration file, on one line. */
export function settingText(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(String).join(', ');
  return value === null || value === undefined
    ? 'none'
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);
}

const FIELDS: Fields = new Map([
  ...listFields.setting,
  ['value', { path: 'value', kind: 'text', plural: false, choices: [] }],
]);

export const configList: ListSpec<SettingView> = {
  id: 'config',
  fields: FIELDS,
  values: { value: row => settingText(row.value) },
  title: 'Configuration',
  one: 'setting',
  many: 'settings',
  rows: world => world.config?.settings ?? NONE,
  keyOf: setting => setting.key,
  nameOf: setting => setting.key,
  empty: 'Not loaded yet.',
  copy: setting => `${setting.key}: ${settingText(setting.value)}`,
  columns: [
    { id: 'key', title: 'SETTING', of: row => row.key, width: 24, grow: 1, rank: 0 },
    {
      id: 'value',
      title: 'VALUE',
      of: row => settingText(row.value),
      width: 16,
      grow: 2,
      rank: 1,
      meaning: row => (row.origin === 'default' ? 'text' : 'strong'),
    },
    {
      id: 'origin',
      title: 'DECIDED BY',
      of: row => row.origin,
      width: 11,
      rank: 2,
      meaning: row => ORIGIN_MEANING[row.origin],
    },
    {
      id: 'restart',
      title: 'A CHANGE',
      of: row => (row.restart ? 'at restart' : 'at once'),
      width: 10,
      rank: 3,
      meaning: row => (row.restart ? 'dim' : 'good'),
    },
    { id: 'where', title: 'WHERE', of: row => row.where ?? '', width: 10, grow: 1, rank: 4, meaning: () => 'dim' },
  ],
  details: row => [
    ['value', settingText(row.value)],
    ['decided by', row.where === null ? row.origin : `${row.origin}, ${row.where}`],
    ['a change', row.restart ? 'needs a restart of the daemon' : 'takes effect at once'],
  ],
};

export const configView: View = {
  draw: (stage, rect) =>
    drawListWithDetails(stage, configList, rect, { note: stage.world.config?.file ?? 'no configuration file' }),
};
