// A source that names others as sources cannot make us connect to a victim more often than the limits allow.
import t from 'tap';
import { HOST_LIMITS, HostLimits } from '../../../protocol/transfer/downloads/host-limits.ts';
import { DownloadRig, dialPlain, FAST, sha1 } from '../../support/download-rig.ts';
import { partial, rangeOf, ScriptedSource } from '../../support/scripted-source.ts';
import { testBytes } from '../../support/shared-files.ts';

const DOWNLOADS = 24;
const BYTES = 600_000;
const VICTIM = '203.0.113.7';

t.test(
  'downloads whose source names one victim under many ports dial it as often as an address may be an hour',
  async t => {
    // neither connections at a time nor their spacing hold them back: what is left is the bound on hearsay
    const hosts = new HostLimits({ ...HOST_LIMITS, connections: null, spacingMs: 0 });
    const content = testBytes(BYTES);
    let allowed: () => void = () => undefined;
    const isAllowed = new Promise<void>(resolve => {
      allowed = resolve;
    });
    let named = 0;
    let dials = 0;
    const liar = await ScriptedSource.open(t, async asked => {
      const { socket } = asked;
      const range = rangeOf(asked, BYTES);
      if (asked.head.headers.get('X-Features') === null) return socket.write(partial(content, range)) || true;
      const ports = Array.from({ length: 20 }, (_, i) => `${VICTIM}:${1024 + 20 * named + i}`);
      named++;
      // the last byte of the first answers comes when each download has heard of the victim
      const bytes = partial(content, range, `X-Alt: ${ports.join(', ')}\r\n`);
      socket.write(bytes.subarray(0, -1));
      if (named === DOWNLOADS) setImmediate(allowed);
      await isAllowed;
      return socket.write(bytes.subarray(-1)) || true;
    });
    const rig = await DownloadRig.open(t, t.testdir(), {
      hosts,
      times: { ...FAST, stallMs: 60_000 },
      activeMax: DOWNLOADS,
      dial: (endpoint, signal) => {
        if (endpoint.host !== VICTIM) return dialPlain(endpoint, signal);
        dials++;
        return Promise.reject(new Error('connection refused'));
      },
    });
    const ids: string[] = [];
    for (let i = 0; i < DOWNLOADS; i++) {
      const request = { sha1: sha1(content), size: BYTES, name: 'x', sources: [liar.source], again: true };
      ids.push((await rig.downloads.add(request)).id);
    }
    for (const id of ids) {
      const { state, sources } = await rig.ended(id);
      t.equal(state, 'completed');
      t.ok(sources.length > HOST_LIMITS.hearsayDials, `knows ${sources.length} sources`);
    }
    t.equal(dials, HOST_LIMITS.hearsayDials);
    t.equal(hosts.refused, 1, 'and that more were wanted is counted, once an hour');
  },
);
