// Questions about queries and their answers: words, popularity, hits, duplicates.

import type { Dialect } from './dialect.ts';
import { lineOf, number, type Question, type Row, type Value } from './question.ts';
import { fitZipf } from './zipf.ts';

/** Each query once, however many servents recorded it, with its text, its words and the files found. */
const eachQuery = ({ from }: Dialect): string =>
  `SELECT guid, max(asked_text) AS query_text, max(asked_words) AS query_words, sum(asked) AS times, sum(found) AS files FROM (` +
  `SELECT guid, max(text) AS asked_text, max(words) AS asked_words, count() AS asked, sum(own_hits) AS found FROM ${from('queries')} GROUP BY guid` +
  ` UNION ALL ` +
  `SELECT guid, '' AS asked_text, '' AS asked_words, count() * 0 AS asked, sum(records) AS found FROM ${from('hits')} GROUP BY guid` +
  `) AS parts GROUP BY guid HAVING sum(asked) > 0`;

const wordsOf = ({ from, eachWord, anyOf }: Dialect): string =>
  `SELECT ${eachWord('query_words')} AS word FROM (SELECT guid, ${anyOf('words')} AS query_words FROM ${from('queries')} GROUP BY guid) AS asked WHERE query_words <> ''`;

const share = (part: Value | undefined, whole: number): number => (whole === 0 ? 0 : number(part) / whole);

export const queryQuestions = {
  'top-words': {
    teaches: 'word count: which words people search for; each query counts once, each word as often as it stands there',
    columns: { word: 'the word', count: 'how often it was searched for' },
    over: null,
    sql: (dialect, { top }) =>
      `SELECT word, count() AS "count" FROM (${wordsOf(dialect)}) AS each_word GROUP BY word ORDER BY count() DESC, word LIMIT ${top}`,
    answer: rows => ({
      rows,
      series: [
        lineOf(
          rows.map((row, i) => ({ ...row, rank: i + 1 })),
          ['rank', 'count'],
          ['rank', 'count'],
        ),
      ],
    }),
  },
  unanswered: {
    teaches: 'what is searched for and not found: no servent that recorded saw a hit for it or had the file',
    columns: { text: 'the query', queries: 'how many queries with this text had no hit' },
    over: null,
    sql: (dialect, { top }) =>
      `SELECT query_text AS text, count() AS queries FROM (${eachQuery(dialect)}) AS each_query WHERE files = 0 GROUP BY query_text ORDER BY count() DESC, query_text LIMIT ${top}`,
    answer: rows => ({
      rows,
      series: [
        lineOf(
          rows.map((row, i) => ({ ...row, rank: i + 1 })),
          ['rank', 'queries'],
          ['rank', 'queries'],
        ),
      ],
    }),
  },
  zipf: {
    teaches: "whether the popularity of words follows Zipf's law, and with which exponent",
    columns: {
      exponent: 'maximum likelihood over the ranks whose words occur 16 times or more',
      error: 'the true exponent is this near with 95 % certainty, if the law holds',
      ranks: 'words that were looked at',
      occurrences: 'of these words',
      words: 'different words in all',
    },
    over: null,
    sql: dialect =>
      `SELECT times AS "count", count() AS words FROM (SELECT word, count() AS times FROM (${wordsOf(dialect)}) AS each_word GROUP BY word) AS counts GROUP BY times ORDER BY times DESC`,
    answer: rows => {
      const fit = fitZipf(rows.map(row => ({ count: number(row['count']), of: number(row['words']) })));
      const words = rows.reduce((sum, row) => sum + number(row['words']), 0);
      const points: Row[] = [];
      let rank = 0;
      for (const row of rows) {
        points.push({ rank: rank + 1, count: row['count'] ?? 0 });
        rank += number(row['words']);
      }
      return {
        rows: fit === null ? [] : [{ ...fit, words }],
        series: [lineOf(points, ['rank', 'count'], ['rank', 'occurrences'], 'words')],
      };
    },
  },
  ttl: {
    teaches: 'how far queries may still go when they come by',
    columns: { ttl: 'TTL with which they came in', queries: 'how many' },
    over: null,
    sql: ({ from }) => `SELECT ttl, sum(counted) AS queries FROM ${from('query_counts')} GROUP BY ttl ORDER BY ttl`,
    answer: rows => ({ rows, series: [lineOf(rows, ['ttl', 'queries'], ['TTL', 'queries'])] }),
  },
  hops: {
    teaches: 'how far queries have come when they come by: most from near, or from all over the network',
    columns: { hops: 'hops that they had made', queries: 'how many', share: 'of all queries' },
    over: null,
    sql: ({ from }) => `SELECT hops, sum(counted) AS queries FROM ${from('query_counts')} GROUP BY hops ORDER BY hops`,
    answer: rows => {
      const all = rows.reduce((sum, row) => sum + number(row['queries']), 0);
      const shared = rows.map(row => ({ ...row, share: share(row['queries'], all) }));
      return { rows: shared, series: [lineOf(shared, ['hops', 'queries'], ['hops', 'queries'])] };
    },
  },
  'hit-hops': {
    teaches: 'how far hits travel back',
    columns: { hops: 'hops that they had made', hits: 'how many query hits', files: 'files in them' },
    over: null,
    sql: ({ from }) =>
      `SELECT hops, count() AS hits, sum(records) AS files FROM ${from('hits')} GROUP BY hops ORDER BY hops`,
    answer: rows => ({ rows, series: [lineOf(rows, ['hops', 'hits'], ['hops', 'hits'])] }),
  },
  'hit-rate': {
    teaches: 'which share of queries is answered, by number of words: the more is asked for, the less is found',
    columns: {
      words: 'words in the query; 0: a query by hash',
      queries: 'how many',
      answered: 'that had a hit',
      share: 'answered of all',
      files: 'files found for a query, on average',
    },
    over: null,
    sql: dialect =>
      `SELECT words, count() AS queries, sum(had) AS answered, sum(files) AS found FROM (` +
      `SELECT CASE WHEN query_words = '' THEN 0 ELSE ${dialect.wordCount('query_words')} END AS words, CASE WHEN files > 0 THEN 1 ELSE 0 END AS had, files FROM (${eachQuery(dialect)}) AS each_query` +
      `) AS lengths GROUP BY words ORDER BY words`,
    answer: rows => {
      const rated = rows.map(({ found, ...row }) => ({
        ...row,
        share: share(row['answered'], number(row['queries'])),
        files: share(found, number(row['queries'])),
      }));
      return { rows: rated, series: [lineOf(rated, ['words', 'share'], ['words', 'share answered'])] };
    },
  },
} as const satisfies Record<string, Question>;
