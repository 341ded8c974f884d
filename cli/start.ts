// start: runs the daemon in the foreground until a signal stops it.
import { setTimeout as wait } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { formatEndpoint } from '../protocol/wire/endpoint.ts';
import { SettingsError } from '../settings/faults.ts';
import { flagName, resolveSettings } from '../settings/resolve.ts';
import { type Setting, type SettingKey, settingsList, variableOf } from '../settings/settings.ts';
import { CommandError } from './failure.ts';
import { inProcess } from './in-process.ts';
import { sayReady } from './ready.ts';
import { askedToStop } from './signals.ts';
import { MEANT } from './signals-ignored.ts';
import type { Terminal } from './terminal.ts';

/** Limit for stopping: the process ends within 5 s of the signal. */
const STOP_WAIT_MS = 4_000;

export function startCommand(terminal: Terminal): Command {
  const command = new Command('start')
    .description('run the daemon in the foreground')
    .option(
      '--config <file>',
      'the configuration file (SERVENT_CONFIG; default: servent.yaml in the data folder, if it exists)',
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
    option.description += ' Repeatable.';
  }
  const name = flagName(setting);
  // both forms, to override the default of a profile either way
  return name.startsWith('--no-')
    ? [new Option(name.replace('--no-', '--'), 'the opposite of the next flag').hideHelp(), option]
    : [option];
}

async function runDaemon(
  terminal: Terminal,
  flags: Partial<Record<SettingKey, unknown>>,
  configFile: string | undefined,
): Promise<void> {
  const { env, cwd } = terminal;
  const resolved = await resolveSettings({ flags, env, cwd, ...(configFile === undefined ? {} : { configFile }) });
  const { createLog } = await inProcess.log();
  const log = await createLog(resolved.settings.log);
  for (const warning of resolved.warnings) log.warn(warning);
  const [{ startDaemon }, { superviseBy }, { enableOptimiser }] = await Promise.all([
    inProcess.daemon(),
    inProcess.supervisor(),
    inProcess.engine(),
  ]);
  const supervisor = superviseBy(env, log);
  let reload: (() => Promise<unknown>) | null = null;
  const stopped = askedToStop(() => {
    log.info('reloading the configuration');
    supervisor.reloading();
    reload?.()
      .then(
        plan => log.info({ plan }, 'the configuration was reloaded'),
        (error: unknown) =>
          error instanceof SettingsError
            ? log.error(
                { faults: error.faults.map(({ text }) => text) },
                'the configuration is wrong: nothing was changed',
              )
            : log.error({ err: error }, 'the configuration could not be read: nothing was changed'),
      )
      .finally(() => supervisor.ready());
  });
  for (const name of MEANT)
    process.on(name, () => log.info({ signal: name }, 'this signal does nothing: SIGHUP reloads the configuration'));
  const asked = new AbortController();
  const stopping = stopped.then(signal => {
    log.info({ signal }, 'stopping');
    supervisor.stopping();
    asked.abort();
  });
  const tooLate = stopping.then(late);
  const daemon = await Promise.race([startDaemon(resolved, log, {}, asked.signal), tooLate]).catch((error: unknown) => {
    if (asked.signal.aborted && error === asked.signal.reason) return null;
    log.debug({ err: error }, 'the start failed');
    throw error;
  });
  if (daemon === null) return; // stopped during the start
  reload = () => daemon.reload();
  enableOptimiser();
  sayReady(terminal, log, `ready gnutella=${formatEndpoint(daemon.gnutella)} api=${daemon.api}`);
  supervisor.ready();
  await stopping;
  await Promise.race([daemon.stop(), tooLate]);
}

/** Rejects after STOP_WAIT_MS, which ends the process. */
async function late(): Promise<never> {
  await wait(STOP_WAIT_MS, undefined, { ref: false });
  throw new CommandError(`the daemon did not stop within ${STOP_WAIT_MS / 1000} s`);
}
