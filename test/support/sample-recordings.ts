// Samples of what the API says of recordings: a segment, a question and an answer.
import type { AnalysisView, QuestionView, RecordingView } from '../../api/control.ts';
import { AT } from './sample-views.ts';

export const aQuestion: QuestionView = {
  id: 'hops',
  teaches: 'how far queries have come',
  columns: { hops: 'hops that they had made', queries: 'how many' },
};

export const anAnalysis: AnalysisView = {
  question: 'hops',
  rows: [
    { hops: 1, queries: 40, share: 0.8 },
    { hops: 2, queries: 10, share: 0.2 },
  ],
  cut: false,
  series: [{ name: 'queries', axes: ['hops', 'queries'], x: [1, 2], y: [40, 10] }],
  seconds: 0.25,
  engine: 'duckdb',
};

export const aRecording: RecordingView = {
  id: 'queries-00000001-0a1b2c3d.parquet',
  table: 'queries',
  state: 'parquet',
  rows: 1_000,
  bytes: 42_000,
  from: AT,
  to: AT,
};
