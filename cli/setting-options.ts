// Flags of a command that set settings.
import { type Command, Option } from 'commander';
import { flagName } from '../settings/resolve.ts';
import type { Setting } from '../settings/setting.ts';
import { type SettingKey, settingsList, variableOf } from '../settings/settings.ts';

export type SettingFlags = Partial<Record<SettingKey, unknown>>;

/**
 * Adds the flags of all settings, or of those in `only`, which name no variables. The returned function picks the settings from the
 * options that commander read.
 */
export function settingOptions(
  command: Command,
  only?: readonly SettingKey[],
): (given: Readonly<Record<string, unknown>>) => SettingFlags {
  const keys = new Map<string, SettingKey>();
  for (const { key, setting } of settingsList) {
    if (only !== undefined && !only.includes(key)) continue;
    const doc = setting.doc.replaceAll('`', '');
    for (const option of optionsOf(setting, only === undefined ? `${doc} (${variableOf(key)})` : doc)) {
      command.addOption(option);
      keys.set(option.attributeName(), key);
    }
  }
  return given => {
    const flags: SettingFlags = {};
    for (const [name, value] of Object.entries(given)) {
      const key = keys.get(name);
      if (key !== undefined && value !== undefined) flags[key] = value;
    }
    return flags;
  };
}

function optionsOf(setting: Setting<unknown>, description: string): Option[] {
  const option = new Option(setting.flag, description);
  if (setting.separator !== undefined) {
    option.argParser((item: string, items: string[] | undefined) => [...(items ?? []), item]);
    option.description += ' Repeatable.';
  }
  const name = flagName(setting);
  // both forms, to override the default of a profile either way
  return name.startsWith('--no-')
    ? [new Option(name.replace('--no-', '--'), 'the opposite of the next flag').hideHelp(), option]
    : [option];
}
