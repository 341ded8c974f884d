import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { apiDocument } from '../../api/documents.ts';
import type { Endpoint } from '../../api/endpoint.ts';
import { endpointNames, endpoints } from '../../api/endpoints.ts';
import { outlineModule } from '../../api/outline-module.ts';
import { commandsDocument, manualPage } from '../../cli/manual.ts';
import { metricsDocument } from '../../daemon/observation/metric-documents.ts';
import { measuringDocument } from '../../measure/documents.ts';
import { configurationDocument, exampleFile } from '../../settings/documents.ts';
import { parseSettings } from '../../settings/file.ts';
import { flagName } from '../../settings/resolve.ts';
import { settingsList, variableOf } from '../../settings/settings.ts';
import { projectRoot } from '../support/fixtures.ts';

for (const [file, text] of [
  ['docs/api.md', apiDocument()],
  ['api/outline.ts', outlineModule()],
  ['docs/configuration.md', configurationDocument()],
  ['docs/metrics.md', metricsDocument()],
  ['docs/measuring.md', measuringDocument()],
  ['docs/cli.md', commandsDocument()],
  ['docs/servent.1', manualPage()],
  ['conf/servent.example.yaml', exampleFile()],
] as const)
  t.test(`${file} is what the sources say`, async t => {
    t.equal(readFileSync(join(projectRoot, file), 'utf8'), text, 'if not: npm run docs');
  });

t.test('the documentation has every setting and every endpoint', async t => {
  const configuration = configurationDocument();
  for (const { key, setting } of settingsList) {
    t.match(configuration, `### ${key}\n`);
    t.match(configuration, `\`${variableOf(key)}\``);
    t.match(configuration, flagName(setting));
  }
  const api = apiDocument();
  for (const name of endpointNames) {
    const { method, path, doc }: Endpoint = endpoints[name];
    t.match(api, `### ${method} ${path}\n\n${doc}`);
  }
  t.notMatch(configuration + api, /undefined|\[object/);
});

t.test('the example changes nothing as it is, and is right when its lines lose their "#"', async t => {
  t.equal(parseSettings(exampleFile(), 'example').size, 0);
  const names = settingsList.map(({ key }) => key.split('.').at(-1)).join('|');
  const everything = exampleFile().replace(new RegExp(`^( *)# ((?:${names}):.*| +- .*)$`, 'gm'), '$1$2');
  t.equal(parseSettings(everything, 'example').size, settingsList.length, everything);
  t.strictSame(Object.keys(parse(everything) as object).slice(0, 3), ['profile', 'dataDir', 'hooks']);
});

t.test('no document ends a sentence twice', async t => {
  for (const text of [apiDocument(), configurationDocument(), metricsDocument(), commandsDocument(), exampleFile()]) {
    const prose = text.replace(/`[^`]*`/g, '').replace(/\.\.\.|\.\.\//g, '');
    t.strictSame(prose.match(/.{0,40}(?:\.\.|,,|;;|: :|\. \.|[,;:]\.).{0,10}/g), null);
  }
});
