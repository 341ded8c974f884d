// Writes the documents that are made from the sources: run it after `npm run build`, or as `npm run docs`.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apiDocument } from '../dist/api/documents.js';
import { outlineModule } from '../dist/api/outline-module.js';
import { commandsDocument, manualPage } from '../dist/cli/manual.js';
import { metricsDocument } from '../dist/daemon/observation/metric-documents.js';
import { measuringDocument } from '../dist/measure/documents.js';
import { configurationDocument, exampleFile } from '../dist/settings/documents.js';
import { pictures, withPicture } from '../dist/tui/demo/pictures.js';
import { dashboardDocument } from '../dist/tui/help.js';

// Pictures show clocks.
process.env.TZ = 'UTC';
const shown = await pictures();
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
for (const [file, text] of [
  ['docs/api.md', apiDocument()],
  ['api/outline.ts', outlineModule()],
  ['docs/dashboard.md', dashboardDocument(shown)],
  ['README.md', withPicture(readFileSync(join(root, 'README.md'), 'utf8'), shown)],
  ['docs/configuration.md', configurationDocument()],
  ['docs/metrics.md', metricsDocument()],
  ['docs/measuring.md', measuringDocument()],
  ['docs/cli.md', commandsDocument()],
  ['docs/servent.1', manualPage()],
  ['conf/servent.example.yaml', exampleFile()],
]) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}
