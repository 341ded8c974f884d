// Reads the file in which a VPN client, such as gluetun, writes the port that it forwards to us.

/** A port is at most five digits; some clients write several ports, one a line. */
export const PORT_FILE_BYTES_MAX = 1_024;

/** The first port of the text, or what is wrong with it, which completes "the file …". */
export function forwardedPort(text: string): number | string {
  const [first = ''] = text.trim().split(/[\s,]+/, 1);
  if (first === '') return 'is empty: the VPN has no port for us';
  const port = /^\d{1,5}$/.test(first) ? Number(first) : 0;
  if (port >= 1 && port <= 65_535) return port;
  return `says "${first.slice(0, 20).replace(/[^\x21-\x7e]/g, '?')}", which is no port from 1 to 65535`;
}
