// Reads the folder of LimeWire, FrostWire 4 and WireShare: limewire.props and gnutella.net. Formats: their FileSetSetting,
// SettingsFactory and ExtendedEndpoint.
import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { parse } from 'dot-properties';
import {
  type Importer,
  type LeftBehind,
  nothingYet,
  takeFolders,
  takeHosts,
  takeSetting,
  textOf,
} from './left-behind.ts';

const PROPERTIES = ['limewire.props', 'frostwire.props', 'wireshare.props'];
const HOSTS = 'gnutella.net';
/** Serialised Java objects, which are not read. */
const OBJECTS = ['library.dat', 'library5.dat'];

export const limewire: Importer = {
  name: 'LimeWire',
  usualFolders: ['.limewire', '.wireshare', '.frostwire'],
  async read(folder: string): Promise<LeftBehind> {
    const found = nothingYet();
    const values = await propertiesOf(folder);
    if (values === null && !existsSync(join(folder, HOSTS)))
      throw new Error(
        `${folder} has neither ${PROPERTIES[0]} nor ${HOSTS}: expected the folder of LimeWire's settings`,
      );
    const take = (name: string, use: (value: string) => void): void => {
      const value = values?.[name];
      if (value !== undefined && value !== '') use(value);
    };
    take('PORT', value => takeSetting(found, 'gnutella.port', value, 'PORT'));
    // the port that the router forwards
    take('FORCED_PORT', value => takeSetting(found, 'gnutella.port', value, 'FORCED_PORT'));
    take('DISABLE_ULTRAPEER_MODE', value => {
      if (value === 'true') takeSetting(found, 'gnutella.mode', 'leaf', 'DISABLE_ULTRAPEER_MODE');
    });
    take('FORCE_ULTRAPEER_MODE', value => {
      if (value === 'true') takeSetting(found, 'gnutella.mode', 'ultrapeer', 'FORCE_ULTRAPEER_MODE');
    });
    take('HARD_MAX_UPLOADS', value => takeSetting(found, 'uploads.slots', value, 'HARD_MAX_UPLOADS'));
    take('MAX_SIM_DOWNLOAD', value => takeSetting(found, 'downloads.maxActive', value, 'MAX_SIM_DOWNLOAD'));
    take('DIRECTORY_FOR_SAVING_FILES', value => {
      if (isAbsolute(value)) takeSetting(found, 'downloads.folder', value, 'DIRECTORY_FOR_SAVING_FILES');
      else found.notes.push(`DIRECTORY_FOR_SAVING_FILES is ${value}: not a path of this machine`);
    });
    take('DIRECTORIES_TO_SEARCH_FOR_FILES', value => {
      const paths = value.split(';').filter(path => path !== '');
      for (const path of paths.filter(path => !isAbsolute(path)))
        found.notes.push(`shared folder ${path}: not a path of this machine`);
      takeFolders(
        found,
        paths.filter(path => isAbsolute(path)),
      );
    });
    await takeHosts(found, folder, [HOSTS]);
    for (const name of OBJECTS)
      if (existsSync(join(folder, name)))
        found.notes.push(
          `${name} is a stream of Java objects and was not read: share its folders with "servent share DIR"`,
        );
    return found;
  },
};

/** Reads a Java properties file (Latin-1 with escapes); null if there is none. */
async function propertiesOf(folder: string): Promise<Record<string, string> | null> {
  for (const name of PROPERTIES) {
    const text = await textOf(folder, name, 'latin1');
    if (text !== null) return parse(text) as Record<string, string>;
  }
  return null;
}
