// Makes the view of the effective configuration for the API.
import type { ConfigView } from '../api/control.ts';
import { type ResolvedSettings, type SettingKey, type Settings, settingsList } from './settings.ts';

export function settingValue(settings: Settings, key: SettingKey): unknown {
  const [section = '', name] = key.split('.');
  const outer: unknown = settings[section as keyof Settings];
  return name === undefined ? outer : (outer as Record<string, unknown>)[name];
}

export function configView({ settings, origins, file }: ResolvedSettings): ConfigView {
  return {
    file,
    config: structuredClone(settings) as unknown as Record<string, unknown>,
    settings: settingsList.map(({ key, setting }) => ({
      key,
      value: settingValue(settings, key),
      origin: origins[key].kind,
      where: origins[key].where,
      restart: setting.change === 'restart',
    })),
  };
}
