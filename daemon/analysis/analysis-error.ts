// Why a question to a recording cannot be answered, in words for people.
export class AnalysisError extends Error {
  override readonly name = 'AnalysisError';
}
