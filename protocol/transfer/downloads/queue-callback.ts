// The line with which a remote upload queue of PARQ calls us: QUEUE <id> <its HOST:PORT>. Our request is what it waits for.
import { ProtocolError } from '../../errors.ts';

const LINE = /^QUEUE ([0-9a-f]{32})(?: \S+)?[ \t]*\r?\n?$/i;

/** Gives the id of our place, in lower case. What the line says of the address is not needed. Throws HTTP_MALFORMED. */
export function parseQueueCallback(line: string): string {
  const [, id] = LINE.exec(line) ?? [];
  if (id === undefined) throw new ProtocolError('HTTP_MALFORMED', 'not a QUEUE line');
  return id.toLowerCase();
}
