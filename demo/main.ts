// A private network on loopback: real servent processes, real TCP, a search, a verified download.
// Two tiers that elect themselves; with --line the flat network of old. --keep leaves it running.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { playLine } from './line.ts';
import { demonstrateMeasuring } from './measure/main.ts';
import { demonstrateNat } from './nat/main.ts';
import { program, type Stage, say, stopAll } from './stage.ts';
import { playTwoTier } from './two-tier.ts';

if (process.argv.includes('--nat')) process.exit(await demonstrateNat(process.argv.slice(2)));
if (process.argv.includes('--measure')) process.exit(await demonstrateMeasuring());

const keep = process.argv.includes('--keep');
const play = process.argv.includes('--line') ? playLine : playTwoTier;

const stage: Stage = { folder: await mkdtemp(join(tmpdir(), 'servent-demo-')), servents: new Map() };
try {
  await play(stage);
  if (keep) {
    say('\nLeft running; Ctrl-C stops all. Look around with, for example:');
    for (const [name, { dataDir }] of stage.servents) {
      say(`  node ${program} status --data-dir ${dataDir}   # ${name}`);
    }
    await new Promise(resolve => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
    });
  }
  await stopAll(stage);
  say('\nThe file came over and is verified.');
} catch (error) {
  process.stderr.write(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
  for (const servent of stage.servents.values()) {
    if (servent.log() !== '') process.stderr.write(`--- ${servent.name} said:\n${servent.log()}`);
    await servent.stop();
  }
  process.exitCode = 1;
} finally {
  await rm(stage.folder, { recursive: true, force: true });
}
