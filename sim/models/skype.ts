// Skype: super-peers hold the directory of users and relay for peers that cannot be reached; when many of them fail at once, logins overload
// the rest (the outage of 22 December 2010).
import { type Call, CallNetwork } from '../call-network.ts';
import { LoginStorm } from '../login-storm.ts';
import { atLeast, atMost, equal, type Measure, near, told } from '../measure.ts';
import type { Model, Outcome, Run, Series } from '../model.ts';

const CALLS = 500;
const LECTURE = 'lecture: Skype';
const OUTAGE = 'Skype, report on the outage of December 2010: 25 to 30 % of the supernodes';
const MINUTE = 60_000;

/** Online share each minute; the super-peers are lost in the tenth. */
function outage(run: Run, name: string, measures: { withAdmission: boolean; withBackoff: boolean; megas: number }) {
  const { perSuperPeer = 50, lost = 0.3, megasAfter = 20 } = run.parameters;
  const superPeers = Math.max(3, Math.round(run.servents / perSuperPeer));
  const storm = new LoginStorm({
    ...{
      peers: run.servents,
      superPeers,
      random: run.random.fork(),
      capacity: 1.6 * perSuperPeer,
      loginsPerSecond: 0.5,
    },
    ...measures,
    megasAtMs: (10 + megasAfter) * MINUTE,
  });
  const minutes = Array.from({ length: Math.floor(run.seconds / 60) }, (_, minute) => minute + 1);
  const online = minutes.map(minute => {
    storm.network.run(minute * MINUTE);
    const share = storm.share;
    if (minute === 10) for (let i = 0; i < Math.round(lost * superPeers); i++) storm.lose(i);
    return share;
  });
  const series: Series = { name, axes: ['minutes', 'share online'], x: minutes, y: online };
  const left = superPeers - Math.round(lost * superPeers);
  return { storm, series, left, at: (minute: number): number => online[minute - 1] ?? 0 };
}

function run(run: Run): Outcome {
  const { nat = 0.6, megasAfter = 20 } = run.parameters;
  const skype = new CallNetwork(run);
  skype.call(CALLS);
  const messages = skype.network.messages / CALLS;
  const shareOf = (way: Call['way'], calls = skype.calls): number =>
    calls.filter(call => call.way === way).length / calls.length;
  const [relayed, failed] = [shareOf('relayed'), shareOf(null)];
  skype.failSuperPeer(0);
  const before = skype.calls.length;
  skype.call(CALLS);
  const failedAfter = shareOf(null, skype.calls.slice(before));
  run.onProgress(0.3);
  const megas = Math.max(2, Math.round(run.servents / 500));
  const none = outage(run, 'nothing done', { withAdmission: false, withBackoff: false, megas: 0 });
  const limits = outage(run, 'admission and backoff', { withAdmission: true, withBackoff: true, megas: 0 });
  const mega = outage(run, 'mega-supernodes', { withAdmission: false, withBackoff: false, megas });
  const online = (source: string): { unit: string; source: string } => ({ unit: 'of all peers', source });
  const measures: Measure[] = [
    equal('calls that were not made', 0, failed, { unit: 'of calls', source: LECTURE }),
    near('calls over a relay', nat ** 2, 0.08, relayed, { unit: 'of calls', source: 'both behind NAT: share squared' }),
    atMost('messages a call', 5, messages, {
      unit: 'messages',
      source: 'look-up, answer, and two at most; a second try',
    }),
    atMost('calls that were not made with one super-peer gone', 0.05, failedAfter, {
      unit: 'of calls',
      source: 'the directory has two copies, and a second try another relay',
    }),
    equal('online before the loss', 1, none.at(10), online('all are logged in')),
    atMost('nothing done: online an hour after', 0.2, none.at(70), online(OUTAGE)),
    atLeast('nothing done: failures of super-peers under load', none.left, none.storm.overloaded, {
      unit: 'failures',
      source: `${OUTAGE}; each that is left is overloaded`,
    }),
    atLeast(
      'admission and backoff: online ten minutes after',
      0.95,
      limits.at(20),
      online('what is refused comes later'),
    ),
    equal('admission and backoff: failures under load', 0, limits.storm.overloaded, {
      unit: 'failures',
      source: 'refused in time',
    }),
    atMost('mega-supernodes: online before they come', 0.2, mega.at(10 + megasAfter), online(OUTAGE)),
    atLeast('mega-supernodes: online in the end', 0.95, mega.at(90), online(`${OUTAGE}: recovery by mega-supernodes`)),
    told('mega-supernodes', megas, { unit: 'servers', source: 'as strong as ten super-peers each' }),
  ];
  for (const { storm } of [none, limits, mega]) skype.network.trace.addText(storm.network.trace.hex);
  return { measures, series: [none.series, limits.series, mega.series], traceHash: skype.network.trace.hex };
}

export const skype: Model = {
  name: 'skype',
  system: 'Skype',
  teaches:
    'Super-peers carry directory and relays; when many are lost at once the logins of their peers take down the rest.',
  servents: 1000,
  seconds: 5400,
  bounds: { seconds: [90 * 60, 30 * 86_400] },
  parameters: {
    perSuperPeer: { value: 50, range: [1, 10000], whole: true, unit: 'peers', meaning: 'of a super-peer' },
    nat: { value: 0.6, range: [0, 1], unit: 'of all users', meaning: 'share behind NAT' },
    lost: { value: 0.3, range: [0, 1], unit: 'of super-peers', meaning: 'share that is lost at once' },
    megasAfter: {
      value: 20,
      range: [1, 79],
      whole: true,
      unit: 'minutes',
      meaning: 'after which mega-supernodes are brought in',
    },
  },
  run,
};
