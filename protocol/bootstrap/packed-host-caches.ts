// GGEP PHC in a pong: other UDP host caches as text, one a line.

const CACHES_MAX = 50;
const LINE_CHARS_MAX = 128;
const DEFAULT_PORT = 6346;

/** Parses HOST:PORT of each line; cuts `&key=value`, skips bad lines. Never throws. */
export function parsePackedHostCaches(payload: Buffer): string[] {
  const caches: string[] = [];
  for (const line of payload.toString('latin1').split(/\r?\n/)) {
    if (caches.length >= CACHES_MAX) break;
    if (line.length > LINE_CHARS_MAX) continue;
    const match = /^([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::(\d{1,5}))?(?:&.*)?$/.exec(line.trim());
    const port = Number(match?.[2] ?? DEFAULT_PORT);
    if (match !== null && port > 0 && port < 65_536) caches.push(`${match[1]?.toLowerCase()}:${port}`);
  }
  return caches;
}
