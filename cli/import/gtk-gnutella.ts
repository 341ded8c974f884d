// Reads the folder of gtk-gnutella: config_gnet (formats: its src/lib/prop.c, dirlist_parse in src/lib/misc.c) and the host caches
// hosts, ultras, ultras6 (src/core/hcache.c).
import { isAbsolute } from 'node:path';
import {
  type Importer,
  type LeftBehind,
  nothingYet,
  takeFolders,
  takeHosts,
  takeSetting,
  textOf,
} from './left-behind.ts';

const CONFIG = 'config_gnet';
/** Modes by the number in configured_peermode. */
const MODES = ['leaf', 'auto', 'ultrapeer'];

export const gtkGnutella: Importer = {
  name: 'gtk-gnutella',
  usualFolders: ['.gtk-gnutella'],
  async read(folder: string): Promise<LeftBehind> {
    const text = await textOf(folder, CONFIG, 'utf8');
    if (text === null) throw new Error(`${folder} has no ${CONFIG}: expected the folder of gtk-gnutella`);
    const found = nothingYet();
    const values = parseConfigGnet(text);
    const take = (name: string, use: (value: string) => void): void => {
      const value = values.get(name);
      if (value !== undefined && value !== '') use(value);
    };
    take('listen_port', value => takeSetting(found, 'gnutella.port', value, 'listen_port'));
    take('configured_peermode', value =>
      takeSetting(found, 'gnutella.mode', MODES[Number(value)] ?? value, 'configured_peermode'),
    );
    take('max_leaves', value => takeSetting(found, 'gnutella.maxLeaves', value, 'max_leaves'));
    take('max_simultaneous_uploads', value => takeSetting(found, 'uploads.slots', value, 'max_simultaneous_uploads'));
    take('max_simultaneous_downloads', value =>
      takeSetting(found, 'downloads.maxActive', value, 'max_simultaneous_downloads'),
    );
    take('move_downloading_files_to', value =>
      takeSetting(found, 'downloads.folder', value, 'move_downloading_files_to'),
    );
    take('shared_dirs', value => takeFolders(found, parseFolders(value)));
    await takeHosts(found, folder, ['ultras', 'ultras6', 'hosts']);
    return found;
  },
};

/** Parses lines `name = value` and `name = "value"`; lines with # are comments or unchanged defaults. */
export function parseConfigGnet(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, name, quoted, plain = ''] = /^([A-Za-z]\w*) = (?:"(.*)"|(.*))$/.exec(line) ?? [];
    if (name !== undefined) values.set(name, quoted ?? plain.trim());
  }
  return values;
}

/** Parses paths separated by colons ("::" is a colon in a path) and skips relative ones, as gtk-gnutella does. */
function parseFolders(text: string): string[] {
  return (text.match(/(?:[^:]|::)+/g) ?? []).map(path => path.replaceAll('::', ':')).filter(path => isAbsolute(path));
}
