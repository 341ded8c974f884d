// Writes the documents that are made from the sources: run it after `npm run build`, or as `npm run docs`.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apiDocument } from '../dist/api/documents.js';
import { configurationDocument, exampleFile } from '../dist/daemon/settings/documents.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
for (const [file, text] of [
  ['docs/api.md', apiDocument()],
  ['docs/configuration.md', configurationDocument()],
  ['conf/servent.example.yaml', exampleFile()],
]) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}
