// Settings of the demo daemon.
import type { ConfigView, SettingView } from '../../api/control.ts';

const row = (
  key: string,
  value: unknown,
  origin: SettingView['origin'] = 'default',
  where: string | null = null,
  restart = false,
): SettingView => ({ key, value, origin, where, restart });

const FILE = '/home/ada/.config/servent.yaml';

export function demoConfig(): ConfigView {
  const settings = [
    row('profile', 'public', 'default', null, true),
    row('dataDir', '/home/ada/.local/share/servent', 'default', null, true),
    row('gnutella.host', '0.0.0.0', 'default', null, true),
    row('gnutella.port', 6346, 'file', `${FILE}:3`, true),
    row('gnutella.mode', 'auto', 'default'),
    row('gnutella.maxLeaves', 60, 'file', `${FILE}:4`),
    row('gnutella.maxUltrapeers', 32, 'default'),
    row('gnutella.connect', ['203.0.113.20:6346'], 'flag', '--connect'),
    row('library.folders', ['/home/ada/Music', '/srv/share/public-domain'], 'file', `${FILE}:8`),
    row('downloads.folder', '/home/ada/Downloads', 'file', `${FILE}:12`),
    row('api.host', '127.0.0.1', 'default', null, true),
    row('api.port', 8346, 'default', null, true),
    row('bootstrap.enabled', true, 'profile', 'public'),
    row('log.level', 'info', 'environment', 'SERVENT_LOG_LEVEL'),
  ];
  return { file: FILE, config: {}, settings };
}
