// Makes the view of the effective configuration for the API.
import type { ConfigView } from '../api/control.ts';
import { type ResolvedSettings, type SettingKey, type Settings, settingsList } from './settings.ts';

export function settingValue(settings: Settings, key: SettingKey): unknown {
  const [section = '', name] = key.split('.');
  const outer: unknown = settings[section as keyof Settings];
  return name === undefined ? outer : (outer as Record<string, unknown>)[name];
}

/** Replaces the password in an address; other values stay. */
export function withoutPassword(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/^([a-z0-9]+:\/\/[^/@:]*):[^/@]*@/i, '$1:***@') : value;
}

export function configView({ settings, origins, file }: ResolvedSettings): ConfigView {
  return {
    file,
    config: JSON.parse(JSON.stringify(settings, (_, value) => withoutPassword(value))) as Record<string, unknown>,
    settings: settingsList.map(({ key, setting }) => ({
      key,
      value: withoutPassword(settingValue(settings, key)),
      origin: origins[key].kind,
      where: origins[key].where,
      restart: setting.change === 'restart',
    })),
  };
}
