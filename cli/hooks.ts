// hooks: lists webhooks and hook commands, and their deliveries.
import type { Command } from 'commander';
import type { DeliveryView, HookView } from '../api/control.ts';
import { deliveryColumns, hookColumns } from './columns.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { type List, type ListFlags, listCommand, listOptions, showList } from './list.ts';
import { wholeNumber } from './numbers.ts';
import { print, printJson, type Terminal } from './terminal.ts';

const HOOKS: List<HookView> = {
  name: 'hooks',
  description: 'show the webhooks and commands that receive events',
  page: client => page => client.hooks(page),
  columns: hookColumns,
  none: 'no hooks: the setting "hooks" of the configuration file defines them',
};

const deliveriesOf = (id: string): List<DeliveryView> => ({
  name: 'deliveries',
  description: 'show the latest deliveries of a hook, newest first',
  page: client => page => client.deliveries({ id, ...page }),
  columns: deliveryColumns,
});

export function hooksCommand(terminal: Terminal): Command {
  const command = listCommand(terminal, HOOKS);
  const { name, description } = deliveriesOf('');
  command.addCommand(
    listOptions(clientCommand(name, description))
      .argument('<id>', 'the hook, as "servent hooks" shows it')
      .action((id: string, flags: ListFlags) => showList(terminal, deliveriesOf(id), flags)),
  );
  command.addCommand(
    clientCommand('replay', 'deliver stored events again')
      .argument('<id>', 'the hook, as "servent hooks" shows it')
      .requiredOption('--since <id>', 'start after this event id; 0: from the oldest', wholeNumber(0))
      .action(async (id: string, { since, ...flags }: ClientFlags & { since: number }) => {
        const { client } = await findDaemon(flags, terminal);
        const hook = await client.replay({ id, since });
        if (flags.json === true) return printJson(terminal, hook);
        print(terminal, `${hook.id} continues after event ${hook.cursor}`);
      }),
  );
  return command;
}
