// API views of the segments of a recording.
import type { ListRequest, Page, RecordingView } from '../../api/control.ts';
import { pageOf } from '../../api/page.ts';
import type { Segment } from '../../measure/segment.ts';
import type { Recorder, RecordingNews } from '../recording/recorder.ts';

const timeOf = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

function recordingView({ name, table, state, rows, bytes, from, to }: Segment): RecordingView {
  return { id: name, ...{ table, state, rows, bytes }, from: timeOf(from), to: timeOf(to) };
}

export async function recordingsPage(recorder: Recorder, input: ListRequest): Promise<Page<RecordingView>> {
  return pageOf([...(await recorder.segments())], input, ({ name }) => name, recordingView);
}

export function recordingNewsView(news: RecordingNews): { state: RecordingNews['state']; text: string } {
  if (news.state !== 'removed') return { state: news.state, text: news.text };
  const { name, rows, bytes } = news.segment;
  return { state: 'removed', text: `removed ${name} with ${rows} rows, ${bytes} bytes: recording.maxBytes is reached` };
}
