// The part of FakeControl that answers about the DHT.
import type { AnalysisInput, ById, ListRequest } from '../../api/control.ts';
import { FakeDownloads } from './fake-downloads.ts';
import { only, paged } from './rows.ts';
import { anAnalysis, aQuestion, aRecording } from './sample-recordings.ts';
import { aDht, aDhtContact, aDhtLookup, someNat } from './sample-views.ts';

export class FakeDht extends FakeDownloads {
  nodeList = [aDhtContact];
  /** Of the lookup: what is other than in the sample. */
  nextLookup: Partial<typeof aDhtLookup> = {};

  nat = () => this.noted('nat', someNat);
  dht = () => this.noted('dht', aDht);
  analyses = (input: ListRequest) => paged(this.noted('analyses', [aQuestion], input), input, row => row.id);
  analysis = (input: AnalysisInput) => {
    only([aQuestion], 'question', input.id);
    return this.noted('analysis', anAnalysis, input);
  };
  recordings = (input: ListRequest) => paged(this.noted('recordings', [aRecording], input), input, row => row.id);
  dhtContacts = (input: ListRequest) => paged(this.noted('dhtContacts', this.nodeList, input), input, row => row.kuid);
  startDhtLookup = (input: object) =>
    this.noted('startDhtLookup', { ...aDhtLookup, ...this.nextLookup, state: 'running' as const }, input);
  explainDhtLookup = (input: ById) => {
    this.note('explainDhtLookup', input);
    only([aDhtLookup], 'lookup', input.id);
    return { verdict: 'found', tests: [{ name: 'end', ok: true, value: 'found', mend: null }] };
  };
  dhtLookup = (input: ById) => {
    this.note('dhtLookup', input);
    return only([{ ...aDhtLookup, ...this.nextLookup }], 'lookup', input.id);
  };
}
