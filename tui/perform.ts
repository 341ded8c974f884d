// Makes the calls of effects: a single call, or several as one bulk call.
import { type Client, RefusedError } from '../api/client.ts';
import type { Answer, Call, Effect } from './model.ts';
import type { ItemAnswer } from './pane.ts';

/** Most operations in one bulk call. */
const AT_ONCE = 1000;

export async function perform(
  client: Client | undefined,
  effect: Extract<Effect, { type: 'call' | 'bulk' }>,
): Promise<Answer> {
  try {
    if (effect.type === 'call')
      return { ok: true, text: effect.done, call: effect, output: await made(client, effect) };
    const items: ItemAnswer[] = [];
    for (let at = 0; at < effect.calls.length; at += AT_ONCE)
      items.push(...(await together(client, effect.calls.slice(at, at + AT_ONCE))));
    const refused = items.filter(({ refusal }) => refusal !== null).length;
    const text = refused === 0 ? effect.done : `${items.length - refused} done, ${refused} refused`;
    return { ok: refused === 0, text, items };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { ok: false, text: error instanceof RefusedError ? error.problem.detail : error.message };
  }
}

/** Makes a call; fails for one that the client does not have. */
async function made(client: Client | undefined, { name, input }: Pick<Call, 'name' | 'input'>): Promise<unknown> {
  const call = (client as unknown as Record<string, ((input: object) => Promise<unknown>) | undefined> | undefined)?.[
    name
  ];
  if (call === undefined) throw new Error('this daemon does not support that');
  return call(input);
}

async function together(client: Client | undefined, calls: readonly Call[]): Promise<ItemAnswer[]> {
  const operations = calls.map(({ name, input }) => ({ operation: name, input }));
  const { items } = (await made(client, { name: 'bulk', input: { operations } })) as {
    items: { problem?: { detail: string } }[];
  };
  return calls.map(({ title = '' }, i) => ({ name: title, refusal: items[i]?.problem?.detail ?? null }));
}
