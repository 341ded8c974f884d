// Explains in sentences why this servent is a leaf or an ultrapeer, from the criteria of the election. Pure.
import type { Explanation } from '../../api/control.ts';
import { counted, formatBytes, formatDuration, formatRate } from '../../api/format.ts';
import type { Criterion } from '../../protocol/overlay/neighbours/election.ts';
import type { RoleReport } from '../../protocol/overlay/neighbours/own-role.ts';

interface Words {
  /** In a sentence: "for want of ...". */
  readonly noun: string;
  /** The measured value and the required one. */
  readonly say: (value: number, wanted: number, met: boolean) => string;
  readonly mend: string;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
const against = (measured: string, wanted: number, shown: string): string =>
  wanted <= 0 ? `${measured}; no minimum here` : `${measured}; an ultrapeer needs ${shown}`;

/** By the name of the criterion. */
const WORDS: Readonly<Record<string, Words>> = {
  uptime: {
    noun: 'uptime',
    say: (value, wanted) => against(`up for ${formatDuration(value)}`, wanted, formatDuration(wanted)),
    mend: 'keep it running: leaves lose their place when their ultrapeer stops',
  },
  average_uptime: {
    noun: 'average uptime',
    say: (value, wanted) =>
      against(`a session lasts ${formatDuration(value)} on average`, wanted, formatDuration(wanted)),
    mend: 'keep it running for longer at a time',
  },
  tcp_reachable: {
    noun: 'reachability by TCP',
    say: (value, wanted) => reachable('connect to our port', value, wanted),
    mend: 'open the port in the firewall or router',
  },
  udp_reachable: {
    noun: 'reachability by UDP',
    say: (value, wanted) => reachable('send us unsolicited datagrams', value, wanted),
    mend: 'open the port for UDP too',
  },
  upload: {
    noun: 'upload speed',
    say: (value, wanted) => against(`the best upload rate was ${formatRate(value)}`, wanted, formatRate(wanted)),
    mend: 'share files that others download, on a faster line',
  },
  memory: {
    noun: 'memory',
    say: (value, wanted) => against(`${formatBytes(value)} free`, wanted, formatBytes(wanted)),
    mend: 'free some memory, or lower gnutella.maxLeaves',
  },
  cpu: {
    noun: 'processor time',
    say: (value, wanted) => `${percent(value)} of a core in use; an ultrapeer may use ${percent(wanted)}`,
    mend: 'reduce the load of the machine',
  },
  descriptors: {
    noun: 'open files',
    say: (value, wanted) =>
      against(
        value >= Number.MAX_SAFE_INTEGER / 2
          ? 'no limit of open files'
          : `${counted(value, 'more file')} may be opened`,
        wanted,
        String(wanted),
      ),
    mend: 'raise the limit of open files, or lower gnutella.maxLeaves',
  },
  leaves: {
    noun: 'leaves',
    say: (value, _, met) => {
      if (value > 0) return `${counted(value, 'leaf has', 'leaves have')} us as ultrapeer`;
      return met
        ? 'no leaf has us as ultrapeer; we stay one for a while, and for as long as too few others have room'
        : 'no leaf has had us as ultrapeer for long, and others have room';
    },
    mend: 'nothing to do: a leaf is as useful',
  },
  need: {
    noun: 'need for another ultrapeer',
    say: (value, wanted, met) => {
      const took = `${value} of ${counted(wanted, 'ultrapeer')} wanted accepted us`;
      if (met) return `${took}, and no room for leaves is known: another ultrapeer is needed`;
      return value >= wanted
        ? `${took}: there are enough ultrapeers`
        : `${took}, but there is room for leaves elsewhere`;
    },
    mend: 'nothing to do: the network has enough ultrapeers, and elects another when they are full',
  },
};

/** Name of a criterion in a sentence. */
export function roleNoun(name: string): string {
  return WORDS[name]?.noun ?? name.replaceAll('_', ' ');
}

/** Criteria of the network's demand for ultrapeers; without an election they decide nothing. */
const DEMAND: ReadonlySet<string> = new Set(['leaves', 'need']);

export function explainRole(report: RoleReport): Explanation {
  const { mode, active, role, criteria, heldBecause } = report;
  const told = active ? criteria : criteria.filter(({ name }) => !DEMAND.has(name));
  const elected = active
    ? `, ${role === 'leaf' ? 'by election' : 'elected'}: ${electedBecause(report)}`
    : mode === 'auto'
      ? ': no election takes place, because gnutella.seek is 0'
      : ', because gnutella.mode says so';
  const chosen = heldBecause === null ? elected : `: ${heldBecause}`;
  return {
    verdict: `we are ${role === 'leaf' ? 'a leaf' : 'an ultrapeer'}${chosen}`,
    tests: told.map(criterion => ({
      name: criterion.name,
      ok: criterion.met,
      value: saidOf(criterion),
      mend: criterion.met ? null : (WORDS[criterion.name]?.mend ?? 'nothing to do'),
    })),
  };
}

function saidOf({ name, value, wanted, met, why }: Criterion): string {
  const words = WORDS[name];
  if (words === undefined) return `${value ?? 'not known'} (${why}; wanted: ${wanted})`;
  if (value === null && !name.endsWith('_reachable')) return `not measured yet${met ? '; no minimum here' : ''}`;
  return words.say(value === null ? Number.NaN : Number(value), Number(wanted), met);
}

/** `value`: 1 yes, 0 no, NaN unknown. */
function reachable(what: string, value: number, wanted: number): string {
  const asked = wanted === 1 ? '' : '; not required here';
  if (Number.isNaN(value)) return `it is not known yet whether others can ${what}${asked}`;
  return `others ${value === 1 ? 'can' : 'cannot'} ${what}${asked}`;
}

/** The result of the election in words: fit, needed. */
function electedBecause({ role, fit, needed, criteria, heldForMs }: RoleReport): string {
  const unmet = criteria.filter(({ met }) => !met).map(({ name }) => roleNoun(name));
  const soon = heldForMs > 0 ? `, in ${formatDuration(Math.ceil(heldForMs / 1000))} if things stay as they are` : '';
  if (role === 'ultrapeer')
    return fit && needed ? 'fit for it, and needed' : `about to become a leaf for want of ${unmet.join(', ')}${soon}`;
  if (fit && needed) return `fit to be an ultrapeer, and needed: about to become one${soon}`;
  return fit
    ? 'fit to be an ultrapeer, but another is not needed'
    : `not fit to be an ultrapeer for want of ${unmet.join(', ')}`;
}
