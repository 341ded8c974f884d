// The real API on a free loopback port, over a fake Control.
import { request } from 'node:http';
import type { Test } from 'tap';
import type { ApiOptions } from '../../api/app.ts';
import { type Client, createClient } from '../../api/client.ts';
import { ContentReaders } from '../../api/download-content.ts';
import { notFound } from '../../api/errors.ts';
import { type ApiServer, startApi } from '../../api/server.ts';
import { FakeControl } from './fake-control.ts';

export const TOKEN = 'test-token-0123456789abcdef';

/** For streams that are not about downloads. */
export const noContent = new ContentReaders(async id => {
  throw notFound('download', id);
});

export interface Call {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

export interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** undefined when the body is not JSON. */
  json: Record<string, unknown> | undefined;
}

export interface Served {
  control: FakeControl;
  server: ApiServer;
  client: Client;
  /** With the token unless `headers` say otherwise; every byte of path and headers as given. */
  raw(call: Call): Promise<Reply>;
  mistakes: unknown[];
}

export async function serveFake(t: Test, options: Partial<ApiOptions> = {}): Promise<Served> {
  const control = new FakeControl();
  const mistakes: unknown[] = [];
  const server = await startApi(
    () => control,
    { host: '127.0.0.1', port: 0 },
    { token: TOKEN, onInternalError: error => mistakes.push(error), checkOutput: true, ...options },
  );
  t.teardown(() => server.stop());
  return {
    control,
    server,
    client: createClient({ url: server.url, token: TOKEN }),
    raw: call => send(server.port, call),
    mistakes,
  };
}

function send(port: number, { method = 'GET', path, headers = {}, body }: Call): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        agent: false,
        headers: { Authorization: `Bearer ${TOKEN}`, ...headers },
      },
      response => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined; // a test that expects JSON fails on it
  }
}
