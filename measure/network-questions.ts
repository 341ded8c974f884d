// Questions about the overlay: traffic, duplicates, connections, programs.
import { lineOf, number, overTime, type Question, timed } from './question.ts';

const step = (stepMs: number): string => `at_ms - at_ms % ${stepMs}`;

export const networkQuestions = {
  duplicates: {
    teaches: 'the cost of flooding: which share of the queries that come in was seen before',
    columns: {
      at: 'beginning of the step',
      queries: 'query descriptors that came in',
      duplicates: 'of these, seen before',
      share: 'duplicates of all',
    },
    over: 'traffic',
    sql: ({ from }, { stepMs }) =>
      `SELECT ${step(stepMs)} AS step, sum(queries_in) AS queries, sum(duplicates_in) AS duplicates FROM ${from('traffic')} GROUP BY step HAVING sum(queries_in) > 0 ORDER BY step`,
    answer: rows => {
      const rated = rows.map(row => ({ ...row, share: number(row['duplicates']) / number(row['queries']) }));
      return { rows: timed(rated), series: [overTime(rated, 'share', 'share of duplicates')] };
    },
  },
  rate: {
    teaches: 'how many queries and hits come in over time',
    columns: {
      at: 'beginning of the step',
      queries: 'query descriptors in the step',
      hits: 'query hits in the step',
      queries_per_second: 'queries divided by the length of the step',
      bytes_in: 'bytes that came in on the overlay',
      bytes_out: 'bytes that went out',
    },
    over: 'traffic',
    sql: ({ from }, { stepMs }) =>
      `SELECT ${step(stepMs)} AS step, sum(queries_in) AS queries, sum(hits_in) AS hits, sum(bytes_in) AS bytes_received, sum(bytes_out) AS bytes_sent FROM ${from('traffic')} GROUP BY step ORDER BY step`,
    answer: (rows, { stepMs }) => {
      const rated = rows.map(({ bytes_received = 0, bytes_sent = 0, ...row }) => ({
        ...row,
        queries_per_second: number(row['queries']) / (stepMs / 1000),
        bytes_in: bytes_received,
        bytes_out: bytes_sent,
      }));
      return { rows: timed(rated), series: [overTime(rated, 'queries_per_second', 'queries per second', 'queries')] };
    },
  },
  sessions: {
    teaches: 'how long connections last: many short ones and a few that stay',
    columns: {
      from: 'shortest of these connections, seconds',
      to: 'longest, seconds',
      sessions: 'how many',
      longer: 'share of all connections that lasted at least `from`',
    },
    over: null,
    sql: ({ from }) =>
      `SELECT seconds, count() AS sessions FROM ${from('links')} WHERE event = 'closed' GROUP BY seconds ORDER BY seconds`,
    answer: rows => {
      const doubled = new Map<number, number>();
      let all = 0;
      for (const row of rows) {
        const least = 2 ** (31 - Math.clz32(number(row['seconds']) + 1)) - 1;
        doubled.set(least, (doubled.get(least) ?? 0) + number(row['sessions']));
        all += number(row['sessions']);
      }
      let left = all;
      const buckets = [...doubled].map(([from, sessions]) => {
        const longer = left / all;
        left -= sessions;
        return { from, to: 2 * from, sessions, longer };
      });
      return { rows: buckets, series: [lineOf(buckets, ['from', 'longer'], ['seconds', 'share that lasts longer'])] };
    },
  },
  vendors: {
    teaches: 'which programs the neighbours are',
    columns: {
      vendor: 'name in the User-Agent, before the version',
      links: 'connections',
      peers: 'different addresses',
      share: 'of all connections',
    },
    over: null,
    sql: ({ from, before }, { top }) =>
      `SELECT ${before('user_agent', '/')} AS vendor, count() AS opened_links, count(DISTINCT peer) AS peers FROM ${from('links')} WHERE event = 'opened' GROUP BY vendor ORDER BY count() DESC, vendor LIMIT ${top}`,
    answer: rows => {
      const all = rows.reduce((sum, row) => sum + number(row['opened_links']), 0);
      const shared = rows.map(({ vendor = '', opened_links: links = 0, peers = 0 }) => {
        return { vendor, links, peers, share: number(links) / all };
      });
      return {
        rows: shared,
        series: [
          lineOf(
            shared.map((row, i) => ({ ...row, rank: i + 1 })),
            ['rank', 'links'],
            ['rank', 'links'],
          ),
        ],
      };
    },
  },
  degrees: {
    teaches: 'how many connections servents have, and for how long',
    columns: {
      degree: 'connections to leaves and ultrapeers together',
      servents: 'servents that had so many at some time',
      seconds: 'time that they had them, together',
    },
    over: null,
    sql: ({ from }) =>
      `SELECT leaves + ultrapeers AS degree, count(DISTINCT servent) AS servents, sum(span_ms) AS span FROM ${from('traffic')} GROUP BY degree ORDER BY degree`,
    answer: rows => {
      const measured = rows.map(({ span, ...row }) => ({ ...row, seconds: number(span) / 1000 }));
      return { rows: measured, series: [lineOf(measured, ['degree', 'seconds'], ['degree', 'seconds'])] };
    },
  },
  'crawled-degrees': {
    teaches: 'how many connections the hosts have that answered a crawl; several crawls count together',
    columns: {
      degree: 'connections to leaves and ultrapeers together',
      hosts: 'hosts that have so many',
      share: 'of all hosts that answered',
    },
    over: null,
    sql: ({ from }) =>
      `SELECT degree, count() AS hosts FROM (SELECT run, host, sum(links) AS degree FROM (SELECT run, host, 1 AS links, 0 AS answered FROM ${from('edges')} UNION ALL SELECT run, neighbour AS host, 1 AS links, 0 AS answered FROM ${from('edges')} UNION ALL SELECT run, address AS host, 0 AS links, 1 AS answered FROM ${from('hosts')} WHERE state = 'answered') AS ends GROUP BY run, host HAVING max(answered) = 1) AS counted GROUP BY degree ORDER BY degree`,
    answer: rows => {
      const all = rows.reduce((sum, row) => sum + number(row['hosts']), 0);
      const shared = rows.map(row => ({ ...row, share: number(row['hosts']) / all }));
      return { rows: shared, series: [lineOf(shared, ['degree', 'share'], ['links', 'share of hosts'])] };
    },
  },
  churn: {
    teaches: 'how fast neighbours come and go',
    columns: {
      at: 'beginning of the step',
      opened: 'connections that opened',
      closed: 'connections that closed',
    },
    over: 'links',
    sql: ({ from }, { stepMs }) =>
      `SELECT ${step(stepMs)} AS step, sum(CASE WHEN event = 'opened' THEN 1 ELSE 0 END) AS opened, sum(CASE WHEN event = 'closed' THEN 1 ELSE 0 END) AS closed FROM ${from('links')} GROUP BY step ORDER BY step`,
    answer: rows => ({
      rows: timed(rows),
      series: [overTime(rows, 'opened', 'links'), overTime(rows, 'closed', 'links')],
    }),
  },
} as const satisfies Record<string, Question>;
