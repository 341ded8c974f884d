// The catalogue of questions, by name.
import { networkQuestions } from './network-questions.ts';
import { queryQuestions } from './query-questions.ts';
import type { Question } from './question.ts';

export const questions = { ...queryQuestions, ...networkQuestions } as const satisfies Record<string, Question>;

export type QuestionName = keyof typeof questions;
export const questionNames = Object.keys(questions) as QuestionName[];

export function questionNamed(name: string): Question | null {
  return questionNames.includes(name as QuestionName) ? questions[name as QuestionName] : null;
}
