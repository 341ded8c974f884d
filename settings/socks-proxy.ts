// A SOCKS5 proxy as it is written in the settings.

export interface SocksProxy {
  readonly host: string;
  readonly port: number;
  readonly user: string | null;
  readonly password: string | null;
}

const PORT = 1080;
/** Longest user name and password of RFC 1929. */
const BYTES_MAX = 255;

/** Null: it is no such proxy. `socks5h` is the same, as names are always left to the proxy. */
export function socksProxyOf(text: string): SocksProxy | null {
  const parts = /^socks5h?:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?\/?$/i.exec(
    text,
  );
  if (parts === null) return null;
  const [, user, password, host = '', portText] = parts;
  const port = portText === undefined ? PORT : Number(portText);
  const words = [user, password].map(word => unescaped(word ?? ''));
  if (port < 1 || port > 65_535 || words.some(word => word === null || Buffer.byteLength(word) > BYTES_MAX))
    return null;
  return {
    host: host.replace(/^\[|\]$/g, ''),
    port,
    user: user === undefined ? null : (words[0] ?? null),
    password: password === undefined ? null : (words[1] ?? null),
  };
}

function unescaped(word: string): string | null {
  try {
    return decodeURIComponent(word);
  } catch {
    return null;
  }
}
