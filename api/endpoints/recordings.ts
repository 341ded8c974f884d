// Rows of the table of endpoints: recordings of the network.
import { API, get, listOf } from '../endpoint.ts';
import { analysis, analysisQuery, byQuestion, question, recording } from '../schemas/recordings.ts';

export const recordingEndpoints = {
  recordings: get(`${API}/recordings`, {
    tag: 'recordings',
    doc: 'Segments of the recording of this servent, oldest first; `servent analyse` reads them.',
    ...listOf(recording),
  }),
  analyses: get(`${API}/analyses`, {
    tag: 'recordings',
    doc: 'Questions to the recording, each with what its answer teaches.',
    ...listOf(question),
  }),
  analysis: get(`${API}/analyses/:id`, {
    tag: 'recordings',
    doc: 'Answers a question from the recording: at most one at a time, in 60 s at most. A servent that does not record refuses.',
    params: byQuestion,
    query: analysisQuery,
    output: analysis,
    problems: ['NOT_FOUND', 'CONFLICT', 'TOO_MANY', 'STORAGE_FAILED'],
  }),
} as const;
