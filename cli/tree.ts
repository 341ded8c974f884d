// Builds the tree of all commands, in the order of the help.
import { Command } from 'commander';
import { version } from '../api/version.ts';
import { analyseCommand } from './analyse.ts';
import { backupCommands } from './backup.ts';
import { bansCommand } from './bans.ts';
import { cacheCommand } from './cache.ts';
import { bulkCommand, callCommand, openapiCommand } from './call.ts';
import { completionCommands } from './completion.ts';
import { configCommand } from './config.ts';
import { contextCommand } from './context.ts';
import { crawlCommand } from './crawl.ts';
import { dhtCommand } from './dht.ts';
import { doctorCommand } from './doctor.ts';
import { explainCommand } from './explain.ts';
import { fleetCommand } from './fleet.ts';
import { getCommand } from './get.ts';
import { hooksCommand } from './hooks.ts';
import { hostCommands } from './hosts.ts';
import { importCommand } from './import.ts';
import { initCommand } from './init.ts';
import { keysCommand } from './keys.ts';
import { libraryCommands } from './library.ts';
import { limitsCommand } from './limits.ts';
import { logCommand } from './log.ts';
import { natCommand } from './nat.ts';
import { outputOptions } from './output.ts';
import { overlayCommands } from './overlay.ts';
import { assembled } from './program.ts';
import { queriesCommand } from './queries.ts';
import { recordingsCommand } from './recordings.ts';
import { replayCommand } from './replay.ts';
import { savedCommand, spamCommand } from './saved.ts';
import { searchCommands } from './search.ts';
import { searchesCommand } from './searches.ts';
import { showCommands } from './show.ts';
import { simCommand } from './sim.ts';
import { startCommand } from './start.ts';
import { supportBundleCommand } from './support-bundle.ts';
import { print, printJson, type Terminal } from './terminal.ts';
import { transferCommands } from './transfers.ts';
import { tuiCommand } from './tui.ts';
import { webCommand } from './web.ts';

export function createProgram(surroundings: Terminal): Command {
  return assembled(surroundings, (terminal, program) => [
    startCommand(terminal),
    initCommand(terminal),
    ...showCommands(terminal),
    ...overlayCommands(terminal),
    ...hostCommands(terminal),
    natCommand(terminal),
    dhtCommand(terminal),
    queriesCommand(terminal),
    ...searchCommands(terminal),
    searchesCommand(terminal),
    savedCommand(terminal),
    spamCommand(terminal),
    ...transferCommands(terminal),
    getCommand(terminal),
    bansCommand(terminal),
    limitsCommand(terminal),
    ...libraryCommands(terminal),
    configCommand(terminal),
    contextCommand(terminal),
    fleetCommand(terminal),
    tuiCommand(terminal),
    webCommand(terminal),
    recordingsCommand(terminal),
    analyseCommand(terminal),
    crawlCommand(terminal),
    replayCommand(terminal),
    simCommand(terminal),
    doctorCommand(terminal),
    supportBundleCommand(terminal),
    explainCommand(terminal),
    ...backupCommands(terminal),
    importCommand(terminal),
    keysCommand(terminal),
    hooksCommand(terminal),
    logCommand(terminal),
    cacheCommand(terminal),
    callCommand(terminal),
    bulkCommand(terminal),
    openapiCommand(terminal),
    ...completionCommands(terminal, () => program),
    outputOptions(new Command('version').description('print the version')).action(({ json }: { json?: boolean }) =>
      json === true ? printJson(terminal, { version }) : print(terminal, version),
    ),
  ]);
}
