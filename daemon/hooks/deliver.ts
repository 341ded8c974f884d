// Delivers one event to a web address or a command. Resolves when it was accepted, rejects with the reason otherwise.
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { FeedEvent } from '../../api/event-feed.ts';
import type { HookConfig } from '../../settings/hook-config.ts';

/** Longest error text kept from a command or server. */
const REASON_CHARACTERS_MAX = 500;

export class DeliveryError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'DeliveryError';
  }
}

export interface Delivery {
  config: HookConfig;
  event: FeedEvent;
  /** Wall clock, milliseconds. */
  at: number;
  signal: AbortSignal;
}

export type Deliver = (delivery: Delivery) => Promise<void>;

/** Rejects with DeliveryError. */
export const deliver: Deliver = delivery =>
  delivery.config.url === undefined ? runCommand(delivery) : post(delivery, delivery.config.url);

/** `t=SECONDS,v1=HEX`: HMAC-SHA256 of `SECONDS.BODY`. The time lets the receiver reject replayed calls. */
export function signatureOf(secret: string, seconds: number, body: string): string {
  const hex = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${hex}`;
}

async function post({ config, event, at, signal }: Delivery, url: string): Promise<void> {
  const { view, json } = event;
  const signature = config.secretFile === undefined ? {} : await signed(config.secretFile, at, json);
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'User-Agent': 'servent-hook',
        'Servent-Event': view.type,
        'Servent-Event-Id': String(view.id),
        ...signature,
      },
      body: json,
      redirect: 'manual', // a redirect would send body and signature to another server
      signal: AbortSignal.any([signal, AbortSignal.timeout(config.timeout * 1000)]),
    });
    await response.body?.cancel();
  } catch (cause) {
    throw new DeliveryError(reasonOf(cause), cause);
  }
  if (!response.ok) throw new DeliveryError(`answered ${response.status}`);
}

async function signed(file: string, at: number, body: string): Promise<Record<string, string>> {
  try {
    const secret = (await readFile(file, 'utf8')).trim();
    return { 'Servent-Signature': signatureOf(secret, Math.floor(at / 1000), body) };
  } catch (cause) {
    throw new DeliveryError(`cannot read the secret: ${reasonOf(cause)}`, cause);
  }
}

/** Runs the command with the event on standard input. Exit code 0 means accepted. */
async function runCommand({ config, event, signal }: Delivery): Promise<void> {
  const [program = '', ...args] = config.command ?? [];
  const { PATH, HOME, LANG, TZ } = process.env;
  const late = AbortSignal.timeout(config.timeout * 1000);
  const child = spawn(program, args, {
    shell: false,
    stdio: ['pipe', 'ignore', 'pipe'],
    // Not the daemon's environment: it may hold a token.
    env: { PATH, HOME, LANG, TZ, SERVENT_EVENT: event.view.type },
    signal: AbortSignal.any([signal, late]),
    killSignal: 'SIGKILL',
  });
  let said = '';
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', cause => {
      const reason = late.aborted ? `was killed after ${config.timeout} s` : reasonOf(cause);
      reject(new DeliveryError(reason, cause));
    });
    child.once('close', (code, killed) => {
      if (code === 0) resolve();
      else {
        const how = killed === null ? `ended with ${code}` : 'was killed';
        reject(new DeliveryError(`${how}${said === '' ? '' : `: ${said.trim().slice(0, REASON_CHARACTERS_MAX)}`}`));
      }
    });
  });
  // Without a free descriptor the pipes are missing; the 'error' event reports that.
  const { stdin, stderr } = child as Partial<typeof child>;
  stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < REASON_CHARACTERS_MAX) said += text.slice(0, REASON_CHARACTERS_MAX);
  });
  stdin?.on('error', () => undefined); // a command need not read its input
  stdin?.end(`${event.json}\n`);
  await ended;
}

/** The innermost reason: fetch itself only reports "fetch failed". */
function reasonOf(error: unknown): string {
  let reason = error;
  for (let depth = 0; depth < 4 && reason instanceof Error && reason.cause instanceof Error; depth++)
    reason = reason.cause;
  return (reason instanceof Error ? reason.message : String(reason)).slice(0, REASON_CHARACTERS_MAX);
}
