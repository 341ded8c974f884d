// Explains why a search has no results or a download waits. Pure.
import type { DownloadView, Explanation, SearchView } from '../../api/control.ts';
import { wayText } from '../../api/download-wait.ts';
import { counted, formatAge, formatBytes } from '../../api/format.ts';
import { queryText } from '../../protocol/overlay/queries/question.ts';
import type { FirewallStatus } from '../../protocol/overlay/reach/firewall.ts';
import { WORD_BYTES_MIN } from '../../protocol/qrp/hash.ts';
import { queryWords } from '../../protocol/search/tokenizer.ts';
import type { QueueWait } from '../../protocol/transfer/downloads/download-queue.ts';

type Test = Explanation['tests'][number];

export const test = (name: string, ok: boolean, value: string, mend: string): Test => ({
  name,
  ok,
  value,
  mend: ok ? null : mend,
});

/** The first test that failed says it; `fine` when none did. */
export function explanation(fine: string, tests: Test[]): Explanation {
  const failed = tests.find(({ ok }) => !ok);
  return { verdict: failed === undefined ? fine : `${failed.name}: ${failed.value}`, tests };
}

const UDP_REACHES: Readonly<Record<FirewallStatus['udp'], string>> = {
  open: 'requested: we are reachable by UDP',
  unknown: 'not requested until it is known that we are reachable by UDP',
  firewalled: 'not requested, because we are not reachable by UDP',
};

export interface SearchFacts {
  search: SearchView;
  ultrapeers: number;
  leaves: number;
  firewall: FirewallStatus;
  outOfBand: boolean;
}

export function explainSearch({ search, ultrapeers, leaves, firewall, outOfBand }: SearchFacts): Explanation {
  const { text, browse, urn, results, peers, state, error, startedAt, askedBefore } = search;
  const words = queryWords(queryText(text ?? '')).filter(word => Buffer.byteLength(word) >= WORD_BYTES_MIN);
  const tests = [
    test('state', state !== 'failed', error === null ? state : `${state}: ${error}`, 'start it again'),
    ...(browse === null
      ? [
          test(
            'neighbours',
            ultrapeers + leaves > 0,
            `${counted(ultrapeers, 'ultrapeer')}, ${counted(leaves, 'leaf', 'leaves')}`,
            'connect to a host with "servent connect HOST", or run "servent doctor"',
          ),
          test(
            'asked',
            peers > 0,
            `sent to ${counted(peers, 'neighbour')}`,
            'neighbours whose tables rule a match out are not asked; connect to more, or use fewer words',
          ),
          test(
            'words',
            urn !== null || words.length > 0,
            urn === null ? `${counted(words.length, 'word')} that neighbours can look up in tables` : 'searched by URN',
            `use a word of ${WORD_BYTES_MIN} letters or more`,
          ),
          test(
            'asked before',
            askedBefore === null || results > 0,
            askedBefore === null ? 'no' : `${formatAge(askedBefore, Date.parse(startedAt))} earlier`,
            `neighbours ignore repeats for up to 28 minutes; ${text === null ? 'wait' : 'change a word to make it a new search'}`,
          ),
          test(
            'hits by UDP',
            !outOfBand || firewall.udp === 'open',
            outOfBand ? UDP_REACHES[firewall.udp] : 'not requested',
            'let UDP through to the port; until then hits come back over the links, which carry fewer',
          ),
        ]
      : []),
    test('results', results > 0, counted(results, 'result'), 'try fewer words, or wait until the search has ended'),
  ];
  return explanation(`it has ${counted(results, 'result')}`, tests);
}

export interface DownloadFacts {
  download: DownloadView;
  active: number;
  activeMax: number;
  /** What it waits for in our queue; null: it runs, or is finished. */
  wait: QueueWait | null;
  /** Number of queued downloads before it. */
  ahead: number;
  firewalled: boolean;
  freeBytes: number | null;
  /** Bytes that stay free. */
  reserve: number;
}

/** How the sources that were reached have been: `2 directly, 1 by push (proxy)`. */
function waysText(sources: DownloadView['sources']): string {
  const counts = new Map<string, number>();
  for (const { way, push } of sources) {
    if (way === null) continue;
    const text = wayText(way, push) || 'directly';
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const texts = [...counts].map(([text, count]) => `${count} ${text}`);
  return texts.length === 0 ? 'no source was reached yet' : `reached ${texts.join(', ')}`;
}

export function explainDownload(facts: DownloadFacts): Explanation {
  const { download, active, activeMax, wait, ahead, firewalled, freeBytes, reserve } = facts;
  const { state, sources, error, size, done, search } = download;
  if (state === 'completed') return { verdict: 'it is complete', tests: [] };
  const failed = sources.filter(source => source.state === 'failed' || source.error !== null);
  const pushOnly = sources.filter(({ push }) => push);
  const left = size === null ? 0 : size - done;
  const tests = [
    test('state', state !== 'paused' && state !== 'failed', error === null ? state : `${state}: ${error}`, 'resume it'),
    test(
      'sources',
      sources.length > 0,
      `${counted(sources.length, 'source')}${search === null ? '' : `, asked the network ${counted(search.asked, 'time')}`}`,
      'wait until the network is asked again, or add one with --source HOST:PORT',
    ),
    test(
      'usable sources',
      sources.length === 0 || failed.length < sources.length,
      failed.length === 0
        ? 'none has failed'
        : `${failed.length} of ${sources.length} failed: ${failed[0]?.error ?? 'no reason given'}`,
      'they are tried again automatically; add more sources',
    ),
    test(
      'turn',
      wait !== 'turn' && wait !== 'category',
      `${active} of ${activeMax} run, ${ahead} before it`,
      'wait, raise downloads.maxActive, or give it a higher priority',
    ),
    test(
      'push',
      !firewalled || pushOnly.length < sources.length || sources.length === 0,
      `${pushOnly.length} of ${sources.length} must connect to us; we are ${firewalled ? 'not ' : ''}reachable`,
      'open the port in the firewall or router: neither side can connect to the other',
    ),
    test('ways', true, waysText(sources), 'nothing is to be done'),
    test(
      'disk',
      wait !== 'room' && (freeBytes === null || freeBytes >= left + reserve),
      freeBytes === null
        ? 'free space unknown'
        : `${formatBytes(left)} to go, ${formatBytes(freeBytes)} free, of which ${formatBytes(reserve)} stay free`,
      'free disk space, or lower downloads.reserve',
    ),
  ];
  return explanation(state === 'active' ? 'it is running' : 'it starts as soon as a source answers', tests);
}
