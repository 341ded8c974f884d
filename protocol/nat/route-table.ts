// Finds the default gateway in the table of routes that Linux shows as /proc/net/route.

const GATEWAY_FLAG = 2;

interface Route {
  readonly gateway: string;
  readonly metric: number;
}

/** IPv4 address of the gateway of the best default route, of one interface if it is named; null: there is none. */
export function defaultGateway(table: string, only: string | null = null): string | null {
  let best: Route | null = null;
  for (const line of table.split('\n').slice(1)) {
    const [name, destination, gateway = '', flags = '', , , metric, mask] = line.trim().split(/\s+/);
    if (destination !== '00000000' || mask !== '00000000' || (only !== null && name !== only)) continue;
    if ((Number.parseInt(flags, 16) & GATEWAY_FLAG) === 0 || !/^[0-9a-f]{8}$/i.test(gateway)) continue;
    const route = { gateway: [...Buffer.from(gateway, 'hex')].reverse().join('.'), metric: Number(metric) };
    if (best === null || route.metric < best.metric) best = route;
  }
  return best?.gateway ?? null;
}
