// One file from four sources at once, of which one lies and one is killed.
import { join } from 'node:path';
import type { DownloadView } from '../api/control.ts';
import { Liar } from './liar.ts';
import type { ServentProcess } from './servent-process.ts';
import { compare, detail, type Stage, serventOf, step, swarmedName, swarmSources, until } from './stage.ts';

/** Slow enough that the audience can follow. */
const UPLOAD_BYTES_PER_SECOND = 2 << 20;
/** Part of the file that is there when one source is killed. */
const KILLED_AT = 0.4;
const WAIT_MS = 60_000;

export async function swarm(stage: Stage, seeker: ServentProcess): Promise<void> {
  const honest = swarmSources.map(name => serventOf(stage, name));
  const [first] = honest;
  if (first === undefined) throw new Error('no source of the swarm');
  for (const { client } of honest) await client.changeConfig({ limits: { upload: UPLOAD_BYTES_PER_SECOND } });
  const liar = await Liar.start(first.gnutella);
  try {
    const names = new Map(honest.map(({ gnutella, name }) => [gnutella, name])).set(liar.address, 'the liar');
    const magnet = await magnetOf(first, [...names.keys()]);
    step(
      `${seeker.name} fetches "${swarmedName}" from ${swarmSources.join(', ')} and a liar, who changes bytes of ${first.name}`,
    );
    const { id } = await seeker.client.startDownload({ magnet });
    const began = Date.now();
    await killInTheMiddle(stage, seeker, id);
    const done = await until('the download is complete', () => completed(seeker, id), WAIT_MS);
    step(`${done.size} bytes in ${((Date.now() - began) / 1000).toFixed(1)} s; ${done.wasted} came in vain`);
    for (const { address, bytes, error, state } of done.sources)
      detail(`${(names.get(address) ?? address).padEnd(15)} ${String(bytes).padStart(9)} bytes  ${error ?? state}`);
    await compare(stage, join(first.name, 'shared', swarmedName), seeker, done);
    const accused = done.sources.find(({ address }) => address === liar.address)?.error ?? '';
    if (!accused.includes('corrupt')) throw new Error('the liar was not found out');
  } finally {
    await liar.stop();
  }
}

/** A link with both hashes and these sources. */
async function magnetOf({ client }: ServentProcess, addresses: readonly string[]): Promise<string> {
  const bitprint = await until('the file and its tree are hashed', async () => {
    const { items } = await client.files();
    return items.find(({ name }) => name === swarmedName)?.bitprint ?? null;
  });
  const sha1 = bitprint.replace(/^urn:bitprint:([^.]+)\..*$/i, 'urn:sha1:$1');
  const sources = addresses.map(address => `xs=${encodeURIComponent(`http://${address}/uri-res/N2R?${sha1}`)}`);
  return `magnet:?${[`xt=${bitprint}`, `dn=${encodeURIComponent(swarmedName)}`, ...sources].join('&')}`;
}

async function killInTheMiddle({ servents }: Stage, seeker: ServentProcess, id: string): Promise<void> {
  await until(
    'the download is under way',
    async () => {
      const { done, size } = await seeker.client.download({ id });
      return size !== null && done > KILLED_AT * size ? true : null;
    },
    WAIT_MS,
  );
  const victim = swarmSources.at(-1) ?? '';
  servents.get(victim)?.child.kill('SIGKILL');
  servents.delete(victim);
  step(`${victim} is killed in the middle`);
}

async function completed(seeker: ServentProcess, id: string): Promise<DownloadView | null> {
  const download = await seeker.client.download({ id });
  if (download.state === 'failed') throw new Error(`the download failed: ${download.error}`);
  return download.state === 'completed' ? download : null;
}
