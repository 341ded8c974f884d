// rescan, and the progress of scans and hashing.
import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Client } from '../api/client.ts';
import type { HashingView, ScrubView } from '../api/control.ts';
import { counted, formatBytes, formatHashing, formatShare } from '../api/format.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { CommandError } from './failure.ts';
import { findFolder } from './share.ts';
import { type Out, print, printJson, type Terminal } from './terminal.ts';

const LOOK_MS = 500;

interface RescanFlags extends ClientFlags {
  wait?: boolean;
  cancel?: boolean;
  contents?: boolean;
}

export function rescanCommand(terminal: Terminal): Command {
  return clientCommand('rescan', 'look through the shared folders, or one of them, for what has changed')
    .argument('[folder]', 'a shared folder, or its id as "servent library" shows it')
    .option('--contents', 'read all shared files again in idle time, for damage that dates do not show')
    .option('--wait', 'show the progress until everything is hashed')
    .option('--cancel', 'end scans and hashing until the next rescan or start; what was hashed stays shared')
    .action(async (dir: string | undefined, flags: RescanFlags) => {
      const { client } = await findDaemon(flags, terminal);
      if (flags.contents === true) return showScrub(await client.scrub(), flags, terminal);
      if (flags.cancel === true) {
        await client.cancelHashing();
        if (flags.json === true) return printJson(terminal, await client.hashing());
        return print(terminal, 'scans and hashing have ended: "servent rescan" goes on');
      }
      const folder = dir === undefined ? null : await findFolder(client, dir, terminal);
      const answer = folder === null ? await client.rescan() : await client.rescanFolder({ id: folder.id });
      if (flags.wait === true) {
        const last = await followHashing(client, terminal);
        if (flags.json === true) return printJson(terminal, last);
        if (last.state === 'cancelled') throw new CommandError('it was cancelled: "servent rescan" goes on');
        return print(terminal, `done: ${counted(last.hashed, 'file')} hashed since the start`);
      }
      if (flags.json === true) return printJson(terminal, answer);
      print(
        terminal,
        `scanning ${folder === null && 'folders' in answer ? counted(answer.folders, 'folder') : folder?.path}`,
      );
    });
}

async function followHashing(client: Client, { stderr }: Terminal): Promise<HashingView> {
  const progress = await progressOn(stderr);
  try {
    for (;;) {
      const hashing = await client.hashing();
      if (hashing.state === 'idle' || hashing.state === 'cancelled') return hashing;
      progress.show(hashing);
      await setTimeout(LOOK_MS);
    }
  } finally {
    progress.end();
  }
}

interface Progress {
  show(hashing: HashingView): void;
  end(): void;
}

async function progressOn(out: Out): Promise<Progress> {
  let bytesMax = 1;
  const shareOf = ({ bytes }: HashingView): number => {
    bytesMax = Math.max(bytesMax, bytes);
    return bytesMax - bytes;
  };
  if (out.isTTY !== true) {
    let last = '';
    return {
      show: hashing => {
        const step = `${hashing.state} ${Math.floor((10 * shareOf(hashing)) / bytesMax)}`;
        if (step !== last) out.write(`${formatHashing(hashing)}  ${formatShare(shareOf(hashing), bytesMax)}\n`);
        last = step;
      },
      end: () => undefined,
    };
  }
  const { default: progress } = await import('cli-progress');
  const bar = new progress.SingleBar({
    stream: out as NodeJS.WritableStream,
    format: '{bar} {text}',
    barsize: 30,
    hideCursor: true,
    linewrap: false,
  });
  bar.start(1, 0, { text: '' });
  return {
    show: hashing => {
      const done = shareOf(hashing);
      bar.setTotal(bytesMax);
      bar.update(done, { text: formatHashing(hashing) });
    },
    end: () => bar.stop(),
  };
}

function showScrub(answer: ScrubView, flags: ClientFlags, terminal: Terminal): void {
  const { files, bytes } = answer;
  const how = 'in idle time: what differs will show in "servent library"';
  if (flags.json === true) printJson(terminal, answer);
  else print(terminal, `checking ${counted(files, 'file')}, ${formatBytes(bytes)}, ${how}`);
}
