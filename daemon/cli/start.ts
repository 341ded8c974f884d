// start: the daemon in the foreground, from settings to the last signal.
import { once } from 'node:events';
import { Command, Option } from 'commander';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { RunningDaemon } from '../daemon.ts';
import { flagName, resolveSettings } from '../settings/resolve.ts';
import { type Setting, type SettingKey, settingsList, variableOf } from '../settings.ts';
import { EXIT_FAILURE } from './failure.ts';
import { note, print, type Terminal } from './terminal.ts';

/** What was promised is 5 s from signal to exit. */
const STOP_WAIT_MS = 4_500;
/** For what a failed start leaves open. */
const START_FAILED_WAIT_MS = 1_000;
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

export function startCommand(terminal: Terminal): Command {
  const command = new Command('start')
    .description('run the daemon in the foreground')
    .option(
      '--config <file>',
      'the configuration file (SERVENT_CONFIG; default: servent.yaml in the data folder, if there)',
    );
  const keys = new Map<string, SettingKey>();
  for (const { key, setting } of settingsList) {
    for (const option of optionsOf(key, setting)) {
      command.addOption(option);
      keys.set(option.attributeName(), key);
    }
  }
  return command.action(async (given: Record<string, unknown>) => {
    const flags: Partial<Record<SettingKey, unknown>> = {};
    for (const [name, value] of Object.entries(given)) {
      const key = keys.get(name);
      if (key !== undefined && value !== undefined) flags[key] = value;
    }
    await runDaemon(terminal, flags, given['config'] as string | undefined);
  });
}

function optionsOf(key: SettingKey, setting: Setting<unknown>): Option[] {
  const option = new Option(setting.flag, `${setting.doc.replaceAll('`', '')} (${variableOf(key)})`);
  if (setting.separator !== undefined) {
    option.argParser((item: string, items: string[] | undefined) => [...(items ?? []), item]);
    option.description += ' Again and again.';
  }
  const name = flagName(setting);
  // Both ways, so that a profile's default can be overruled either way.
  return name.startsWith('--no-')
    ? [new Option(name.replace('--no-', '--'), 'the opposite of the next').hideHelp(), option]
    : [option];
}

async function runDaemon(
  terminal: Terminal,
  flags: Partial<Record<SettingKey, unknown>>,
  configFile: string | undefined,
): Promise<void> {
  const { env, cwd } = terminal;
  const resolved = await resolveSettings({ flags, env, cwd, ...(configFile === undefined ? {} : { configFile }) });
  // Loaded here, not above: the other commands do without.
  const { createLog } = await import('../log.ts');
  const log = await createLog(resolved.settings.log);
  for (const warning of resolved.warnings) log.warn(warning);
  const { startDaemon } = await import('../daemon.ts');
  const stopped = firstSignal();
  let daemon: RunningDaemon;
  try {
    daemon = await startDaemon(resolved, log);
  } catch (error) {
    log.debug({ err: error }, 'the start failed');
    exitAfter(START_FAILED_WAIT_MS, terminal);
    throw error;
  }
  print(terminal, `ready gnutella=${formatEndpoint(daemon.gnutella)} api=${daemon.api}`);
  const signal = await stopped;
  log.info({ signal }, 'stopping');
  exitAfter(STOP_WAIT_MS, terminal);
  await daemon.stop();
}

/** Whatever hangs, the process ends as promised; after a clean stop nothing keeps it alive until then. */
function exitAfter(waitMs: number, terminal: Terminal): void {
  setTimeout(() => {
    note(terminal, `servent: not everything stopped within ${waitMs / 1000} s`);
    process.exit(EXIT_FAILURE);
  }, waitMs).unref();
}

/** The first signal stops; a second one during the stop ends the process at once. */
async function firstSignal(): Promise<NodeJS.Signals> {
  const others = new AbortController();
  const waiting = SIGNALS.map(async name => {
    await once(process, name, { signal: others.signal });
    return name;
  });
  const signal = await Promise.race(waiting);
  others.abort();
  return signal;
}
