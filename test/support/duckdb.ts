// Says why tests of DuckDB are skipped.

/** Null when it is there. */
export async function duckDbMissing(): Promise<string | null> {
  try {
    await import('@duckdb/node-api');
    return null;
  } catch {
    return 'DuckDB is not installed: it is an optional dependency';
  }
}
