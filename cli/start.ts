// start: runs the daemon in the foreground until a signal stops it.
import { setTimeout as wait } from 'node:timers/promises';
import { Command } from 'commander';
import { formatEndpoint } from '../protocol/wire/endpoint.ts';
import { SettingsError } from '../settings/faults.ts';
import { resolveSettings } from '../settings/resolve.ts';
import { CommandError } from './failure.ts';
import { inProcess } from './in-process.ts';
import { sayReady } from './ready.ts';
import { type SettingFlags, settingOptions } from './setting-options.ts';
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
  const flagsIn = settingOptions(command);
  return command.action((given: Record<string, unknown>) =>
    runDaemon(terminal, flagsIn(given), given['config'] as string | undefined),
  );
}

async function runDaemon(terminal: Terminal, flags: SettingFlags, configFile: string | undefined): Promise<void> {
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
