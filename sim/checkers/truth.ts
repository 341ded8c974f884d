// The rule of results: each names a file that its servent shares, and that matches what was searched for.

import type { Search } from '../../protocol/overlay/queries/search.ts';
import type { QueryHit } from '../../protocol/wire/query-hit.ts';
import type { Host, Medium } from '../servents/medium.ts';
import type { Findings } from './findings.ts';

export class Truth {
  readonly #internet: Medium;
  readonly #findings: Findings;
  /** By servent GUID. */
  readonly #hosts = new Map<string, Host>();

  constructor(internet: Medium, findings: Findings) {
    this.#internet = internet;
    this.#findings = findings;
  }

  onHit(host: Host, { text }: Search, { serventGuid, hits }: QueryHit): void {
    const sharer = this.#sharer(serventGuid);
    if (sharer === null) {
      this.#findings.add('untrue result', host.number, 'a hit of a servent that is not there');
      return;
    }
    const shared = sharer.library.shared();
    for (const { index, name, size, sha1 } of hits) {
      const file = shared[index];
      const same = file?.name === name && file.size === size && (sha1 === null || file.sha1?.equals(sha1) === true);
      if (!same) this.#findings.add('untrue result', sharer.number, `file ${index} is not ${name} of ${size} bytes`);
      else if (!sharer.library.matches(file, text))
        this.#findings.add('untrue result', sharer.number, `${name} does not match ${text}`);
    }
  }

  #sharer(guid: Buffer): Host | null {
    const { hosts } = this.#internet;
    for (let known = this.#hosts.size; known < hosts.length; known++) {
      const host = hosts[known];
      if (host !== undefined) this.#hosts.set(host.serventGuid.toString('latin1'), host);
    }
    return this.#hosts.get(guid.toString('latin1')) ?? null;
  }
}
