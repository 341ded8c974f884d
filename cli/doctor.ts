// doctor: checks configuration, disk, ports and network of the servent and suggests remedies.
import { join } from 'node:path';
import type { Command } from 'commander';
import { createClient } from '../api/client.ts';
import type { Finding } from '../api/control.ts';
import { SettingsError } from '../settings/faults.ts';
import { resolveSettings } from '../settings/resolve.ts';
import type { ResolvedSettings } from '../settings/settings.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { CommandError } from './failure.ts';
import { inProcess } from './in-process.ts';
import { print, printJson, type Terminal } from './terminal.ts';

const PROBE_WAIT_MS = 2_000;

export function doctorCommand(terminal: Terminal): Command {
  return clientCommand('doctor', 'check configuration, disk, ports and network of the servent and suggest remedies')
    .option('--config <file>', 'the configuration file (SERVENT_CONFIG)')
    .action(async (flags: ClientFlags & { config?: string }) => {
      const findings = await examine(flags, terminal);
      if (flags.json === true)
        printJson(terminal, { ok: findings.every(({ state }) => state !== 'bad'), findings }, findings);
      else for (const finding of findings) print(terminal, lineOf(finding));
      const bad = findings.filter(({ state }) => state === 'bad');
      if (bad.length > 0) throw new CommandError(`${bad.length} to fix: ${bad.map(({ name }) => name).join(', ')}`);
    });
}

const SIGNS = { ok: 'ok  ', warning: 'note', bad: 'BAD ' };

function lineOf({ name, state, detail, mend }: Finding): string {
  return `${SIGNS[state]}  ${name}: ${detail}${mend === null ? '' : `\n      -> ${mend}`}`;
}

async function examine(flags: ClientFlags & { config?: string }, terminal: Terminal): Promise<Finding[]> {
  const [looks, { checkBlockLists }] = await Promise.all([inProcess.surroundings(), inProcess.blockLists()]);
  const findings = [looks.checkNode(process.versions.node), looks.checkClock(Date.now()), await looks.checkOpenFiles()];
  const resolved = await settingsOf(flags, terminal, findings);
  const told: Finding[] = [];
  const running = await checkDaemon(flags, terminal, told);
  // Findings of the daemon replace those of this command: the daemon may run as another user.
  const merged = (): Finding[] => [...findings.filter(({ name }) => !told.some(said => said.name === name)), ...told];
  if (resolved === null) return merged();
  const { settings } = resolved;
  findings.push(
    await looks.checkDataFolder(settings.dataDir),
    ...(await looks.checkSetAside(settings.dataDir)),
    await looks.checkDownloadFolder(settings.downloads.folder),
    ...(await looks.checkDisks(settings.dataDir, settings.downloads.folder)),
    ...(await looks.checkCertificate(settings.api.tlsCert, Date.now())),
    ...(running ? [] : await looks.checkSharedFolders(settings.library.folders, join(settings.dataDir, 'shared'))),
    ...(running ? [] : await checkBlockLists(settings.gnutella.blockLists)),
  );
  // A running daemon holds its ports.
  if (!running) {
    findings.push(
      await looks.checkPort('gnutella port', 'tcp', settings.gnutella, '--port'),
      await looks.checkPort('gnutella port', 'udp', settings.gnutella, '--port'),
      await looks.checkPort('api port', 'tcp', settings.api, '--api-port'),
    );
  }
  return merged();
}

async function settingsOf(
  flags: ClientFlags & { config?: string },
  { env, cwd }: Terminal,
  findings: Finding[],
): Promise<ResolvedSettings | null> {
  const name = 'configuration';
  try {
    const resolved = await resolveSettings({
      env,
      cwd,
      flags: flags.dataDir === undefined ? {} : { dataDir: flags.dataDir },
      ...(flags.config === undefined ? {} : { configFile: flags.config }),
    });
    findings.push({ name, state: 'ok', detail: resolved.file ?? 'no file: defaults and environment', mend: null });
    for (const detail of resolved.warnings)
      findings.push({ name, state: 'warning', detail, mend: 'correct or remove it' });
    return resolved;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    for (const { text } of error.faults)
      findings.push({ name, state: 'bad', detail: text, mend: 'correct it and run this again' });
    return null;
  }
}

/** Resolves to whether a daemon runs. */
async function checkDaemon(flags: ClientFlags, terminal: Terminal, findings: Finding[]): Promise<boolean> {
  const name = 'daemon';
  try {
    const { client, url } = await findDaemon(flags, terminal, PROBE_WAIT_MS);
    const { checks } = await createClient({ url, token: '', waitMs: PROBE_WAIT_MS }).ready();
    const { peers } = await client.status();
    findings.push({ name, state: 'ok', detail: `runs at ${url}`, mend: null });
    findings.push(...(await client.doctor()).findings);
    for (const { name, ok, detail } of checks)
      if (!ok) findings.push({ name, state: 'bad', detail: detail ?? 'not ready', mend: 'read the log of the daemon' });
    const connected = peers.ultrapeers + peers.leaves;
    findings.push({
      name: 'peers',
      state: connected > 0 ? 'ok' : 'warning',
      detail: connected > 0 ? `${connected} connected` : 'no connections',
      mend:
        connected > 0
          ? null
          : '"servent connect HOST", or start with --connect, or with --bootstrap in the public network',
    });
    return true;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    findings.push({ name, state: 'warning', detail: `not reachable (${why})`, mend: '"servent start" starts one' });
    return false;
  }
}
