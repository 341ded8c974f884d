// Builds the API view of bootstrapping: its state and next step, with a sentence. Pure.
import type { StatusView } from '../../api/control.ts';
import { formatDuration } from '../../api/format.ts';
import type { BootstrapReport, CacheCount } from '../../protocol/bootstrap/bootstrap-plan.ts';

type BootstrapView = StatusView['bootstrap'];

export function bootstrapView(report: BootstrapReport, now: number): BootstrapView {
  const { state, asking, round, caches, nextAt } = report;
  const nextIn = nextAt === null ? null : Math.max(0, nextAt - now) / 1000;
  return { state, detail: sentence(report, nextIn), asking, round, nextIn, caches };
}

function sentence(report: BootstrapReport, nextIn: number | null): string {
  const { state, asking, caches } = report;
  const soon = nextIn === null ? 'later' : `in ${formatDuration(Math.ceil(nextIn))}`;
  const known = caches.udp.known + caches.web.known;
  switch (state) {
    case 'unwanted':
      return 'not looking for neighbours: gnutella.seek is 0';
    case 'linked':
      return 'enough neighbours; no cache is asked';
    case 'dialling':
      if (nextIn === null) return 'dialling known hosts';
      return `dialling known hosts; ${known === 0 ? 'no cache is known to be asked then' : `a cache is asked ${soon}`}`;
    case 'asking':
      return asking === null ? `${told(report)}; the next one is asked ${soon}` : `asking ${asking}; ${told(report)}`;
    case 'waiting':
      return `${told(report)}; next round ${soon}`;
    case 'alone':
      return 'no further host to dial and no cache is known';
  }
}

/** Such as `asked 2 of 7 UDP host caches, none answered`. */
function told({ caches: { udp, web } }: BootstrapReport): string {
  const kinds = [part(udp, 'UDP host cache'), part(web, 'GWebCache')].filter(text => text !== '');
  const answered = udp.answered + web.answered;
  const silent = answered === 0 ? 'none answered' : `${answered} answered, but no neighbour was found so far`;
  return kinds.length === 0 ? 'no cache may be asked yet' : `asked ${kinds.join(' and ')}, ${silent}`;
}

const part = ({ asked, known }: CacheCount, noun: string): string =>
  asked === 0 ? '' : `${asked} of ${known} ${noun}${known === 1 ? '' : 's'}`;
