// The rule of deliveries: a servent takes each query once, however many copies come.

import type { Servent } from '../../protocol/servent.ts';
import type { Frame } from '../../protocol/wire/frame-reader.ts';
import type { Host, Medium } from '../servents/medium.ts';
import type { Findings } from './findings.ts';

/** Copies that come so late are no fault of this rule: routes are kept for minutes. */
const KEPT_MS = 60_000;

export class Deliveries {
  readonly #findings: Findings;
  /** When each servent took each query; a host that was restarted has another servent. */
  readonly #taken = new Map<string, Map<Servent, number>>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  onQueryPassed({ servent, number }: Host, { bytes, start }: Frame, now: number): void {
    const guid = bytes.latin1Slice(start, start + 16);
    const takers = this.#taken.get(guid) ?? new Map<Servent, number>();
    if (takers.has(servent)) this.#findings.add('delivered twice', number, 'a query was taken again');
    takers.set(servent, now);
    this.#taken.set(guid, takers);
  }

  onSecond({ clock }: Medium): void {
    for (const [guid, takers] of this.#taken) {
      for (const [servent, at] of takers) if (clock.ms - at > KEPT_MS) takers.delete(servent);
      if (takers.size === 0) this.#taken.delete(guid);
    }
  }
}
