// Asks every daemon of the dashboard for its status, and lists the answers.
import type { Client } from '../api/client.ts';
import type { StatusView } from '../api/control.ts';
import { formatRate, formatSpan } from './format.ts';
import type { Pane, PaneLine } from './pane.ts';

/** Longest wait for a daemon. */
const WAIT_MS = 5_000;

export interface FleetRow {
  readonly name: string;
  readonly status: StatusView | null;
  /** Why there is no status. */
  readonly error: string | null;
}

/** In the order of the daemons. Never rejects. */
export function askFleet(daemons: readonly { readonly name: string; readonly client: Client }[]): Promise<FleetRow[]> {
  return Promise.all(
    daemons.map(async ({ name, client }): Promise<FleetRow> => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer within ${WAIT_MS / 1000} s`)), WAIT_MS);
      });
      try {
        return { name, status: await Promise.race([client.status(), late]), error: null };
      } catch (error) {
        return { name, status: null, error: error instanceof Error ? error.message : String(error) };
      } finally {
        clearTimeout(timer);
      }
    }),
  );
}

/** Two lines a daemon, so that they fit in 80 columns. */
export function fleetPane(rows: readonly FleetRow[]): Pane {
  return { title: 'Fleet', top: 0, lines: rows.flatMap(linesOf) };
}

function linesOf({ name, status, error }: FleetRow): PaneLine[] {
  if (status === null)
    return [
      { text: name, meaning: 'strong', mark: 'bad' },
      { text: `  ${error ?? 'no answer'}`, meaning: 'bad', mark: null },
    ];
  const { peers, library, downloads, uploads, attention } = status;
  const troubles = attention.map(one => one.name).join(', ');
  return [
    { text: `${name}: ${status.mode}, up ${formatSpan(status.uptime)}`, meaning: 'strong', mark: 'good' },
    {
      text: `  ${peers.ultrapeers} ultrapeers, ${peers.leaves} leaves, ${library.files} files, ${formatRate(downloads.rate)} in, ${formatRate(uploads.rate)} out`,
      meaning: 'text',
      mark: null,
    },
    ...(troubles === '' ? [] : [{ text: `  needs attention: ${troubles}`, meaning: 'warn', mark: null } as const]),
  ];
}
