// What conf/ offers: files that parse, and name only what exists.
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { createProgram } from '../cli/tree.ts';
import { silentLog } from '../daemon/log.ts';
import { superviseBy } from '../daemon/supervisor.ts';
import { settingsList, variableOf } from '../settings/settings.ts';
import { projectRoot } from './support/fixtures.ts';

const program = createProgram({ stdout: { write: () => true }, stderr: { write: () => true }, env: {}, cwd: '/' });
const read = (file: string) => readFile(join(projectRoot, 'conf', file), 'utf8');
const variables = new Set(settingsList.map(({ key }) => variableOf(key)));

/** Words of a command line: a command, and flags that it has. */
function isCommandLine(words: readonly string[]): boolean {
  const found = program.commands.find(child => child.name() === words[0]);
  const flags = new Set(found?.options.map(({ long }) => long));
  return found !== undefined && words.filter(word => word.startsWith('--')).every(flag => flags.has(flag));
}

function* argsIn(value: unknown): Generator<string[]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if ((name === 'args' || name === 'command') && Array.isArray(inner)) yield inner as string[];
    else yield* argsIn(inner);
  }
}

t.test('compose file and manifests are YAML whose command lines the program takes', async t => {
  for (const file of ['compose.yaml', 'kubernetes/fleet.yaml']) {
    const text = await read(file);
    for (const document of parseAllDocuments(text)) {
      t.strictSame(document.errors, [], file);
      for (const words of argsIn(document.toJS())) t.ok(isCommandLine(words), words.join(' '));
    }
    for (const [name] of text.matchAll(/SERVENT_[A-Z_]+/g)) t.ok(variables.has(name), name);
  }
});

t.test('Grafana is given the Prometheus that there is', async t => {
  const { services } = parse(await read('compose.yaml')) as { services: Record<string, { volumes: string[] }> };
  const { datasources } = parse(await read('grafana/datasources/prometheus.yaml')) as {
    datasources: { url: string }[];
  };
  t.match(datasources, [{ type: 'prometheus', isDefault: true }]);
  t.ok(new URL(datasources[0]?.url ?? '').hostname in services, 'a service of the compose file');
  t.match(
    services['grafana']?.volumes.find(volume => volume.startsWith('./grafana/datasources:')),
    /:\/etc\/grafana\/provisioning\/datasources:ro$/,
  );
  t.match(await read('compose.yaml'), /--api-host-name, servent/, 'Prometheus asks for it by that name');
});

t.test('the container and the unit start what there is', async t => {
  const container = await read('Containerfile');
  t.ok(isCommandLine(JSON.parse(/^CMD (\[.*\])$/m.exec(container)?.[1] ?? '[]')));
  t.match(container, /^USER 1000$/m);
  const { files } = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8')) as { files: string[] };
  for (const folder of new Set(files.map(file => file.split('/')[0] ?? '')))
    if (folder !== 'docs') t.match(container, `/src/${folder} ./${folder}\n`, `the image has ${folder}/`);
  const unit = await read('systemd/servent.service');
  t.match(unit, /^Type=notify$/m);
  t.match(unit, /^# LoadCredential=api-token:/m);
  for (const [name] of unit.matchAll(/SERVENT_[A-Z_]+/g)) t.ok(variables.has(name), name);
});

t.test('systemd is told of readiness, life and end; without it nothing is run', async t => {
  const dir = t.testdir({});
  const said = join(dir, 'said');
  const notify = join(dir, 'systemd-notify');
  await writeFile(notify, `#!/bin/sh\necho "$@" >> '${said}'\n`);
  await chmod(notify, 0o755);
  superviseBy({}, silentLog).ready();
  const { PATH = '' } = process.env;
  process.env['PATH'] = `${dir}:${PATH}`;
  t.teardown(() => (process.env['PATH'] = PATH));
  const supervisor = superviseBy({ NOTIFY_SOCKET: '/run/none', WATCHDOG_USEC: '40000' }, silentLog);
  supervisor.ready();
  const lines = async () => (await readFile(said, 'utf8').catch(() => '')).split('\n');
  const until = async (wanted: RegExp): Promise<void> => {
    for (let tries = 0; tries < 3000; tries++) {
      if ((await lines()).some(line => wanted.test(line))) return;
      await new Promise(resolve => setTimeout(resolve, 20));
    }
    t.fail(`${wanted} was not said`);
  };
  await until(/^--ready --pid=\d+$/);
  await until(/^WATCHDOG=1$/);
  supervisor.reloading();
  supervisor.stopping();
  await until(/^RELOADING=1$/);
  await until(/^STOPPING=1$/);
});
