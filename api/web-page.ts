// Serves the files of the web page, read at the first request. They hold no data; the calls of the page need a token.
import { readdir, readFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context } from 'koa';
import { ApiError } from './errors.ts';
import { etagOf, hasAlready } from './etag.ts';

export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly etag: string;
}

/** All served files by path. */
export type WebPage = ReadonlyMap<string, PageFile>;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Modules that the page imports from api/. */
const SHARED = [
  'api/chunk-cells.js',
  'api/download-wait.js',
  'api/format.js',
  'api/nat-text.js',
  'api/live/follow.js',
  'api/live/frames.js',
  'api/live/reducer.js',
  'api/preview-lines.js',
];

/** Headers that forbid inline code, foreign sources and markup from text. */
const HEADERS = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  // Revalidated at each load, so that files of two versions are not mixed.
  'Cache-Control': 'no-cache',
} as const;

let loaded: Promise<WebPage> | null = null;

/** Reads the page once. Rejects when the program is not built. */
export function webPage(): Promise<WebPage> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<WebPage> {
  const here = dirname(fileURLToPath(import.meta.url));
  // From dist/api, or from api/ in tests.
  const root = extname(import.meta.url) === '.js' ? join(here, '..', '..') : join(here, '..');
  const page = new Map<string, PageFile>();
  const add = async (path: string, file: string): Promise<void> => {
    const type = TYPES[extname(file)];
    if (type === undefined) return;
    const bytes = await readFile(file);
    page.set(path, { type, bytes, etag: etagOf(bytes) });
  };
  for (const folder of [join(root, 'web'), join(root, 'dist', 'web')])
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const below = join(entry.parentPath, entry.name).slice(folder.length).replaceAll('\\', '/');
      await add(below === '/index.html' ? '/' : `/web${below}`, join(entry.parentPath, entry.name));
    }
  for (const path of SHARED) await add(`/${path}`, join(root, 'dist', path));
  return page;
}

/** Answers a path of the page; returns false for other paths. Throws NOT_FOUND and METHOD_NOT_ALLOWED. */
export function servePage(ctx: Context, page: WebPage): boolean {
  const file = page.get(ctx.path);
  if (file === undefined) {
    if (ctx.path.startsWith('/web/')) throw new ApiError('NOT_FOUND', `there is nothing at ${ctx.path}`);
    return false;
  }
  if (ctx.method !== 'GET' && ctx.method !== 'HEAD') {
    ctx.set('Allow', 'GET, HEAD');
    throw new ApiError('METHOD_NOT_ALLOWED', `${ctx.path} takes GET, HEAD, not ${ctx.method}`);
  }
  ctx.set(HEADERS);
  ctx.set('ETag', file.etag);
  if (hasAlready(ctx.get('If-None-Match'), file.etag)) {
    ctx.status = 304;
    return true;
  }
  ctx.set('Content-Type', file.type);
  ctx.body = file.bytes;
  return true;
}
