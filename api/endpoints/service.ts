// Rows of the table of endpoints: configuration and log of the daemon, and calls about the API itself.
import { API, change, create, get } from '../endpoint.ts';
import { pageOf } from '../schemas/common.ts';
import * as service from '../schemas/service.ts';

export const serviceEndpoints = {
  config: get(`${API}/config`, {
    tag: 'service',
    doc: 'The effective configuration, each value with its origin.',
    output: service.config,
  }),
  reloadConfig: create(`${API}/config/reload`, {
    tag: 'service',
    doc: 'Reads the configuration file and the block lists again, as SIGHUP does.',
    scope: 'admin',
    success: 200,
    output: service.configPlan,
  }),
  logLines: get(`${API}/log`, {
    tag: 'service',
    doc: 'The latest lines of the log, newest first. New lines are events of the topic `log`.',
    query: service.logQuery,
    output: pageOf(service.logLine),
  }),
  logLevels: get(`${API}/log/levels`, {
    tag: 'service',
    doc: 'Log levels: the general one and those of parts of the daemon.',
    output: service.logLevels,
  }),
  changeLogLevels: change(`${API}/log/levels`, {
    tag: 'service',
    doc: 'Sets log levels of parts (`mod` in the log) until the next start; null: the general level.',
    scope: 'admin',
    body: service.logLevelsPatch,
    output: service.logLevels,
  }),
  changeConfig: change(`${API}/config`, {
    tag: 'service',
    doc: 'Changes the configuration file by a JSON merge patch, keeps comments, and answers when each change takes effect.',
    scope: 'admin',
    query: service.changeConfigQuery,
    body: service.configPatch,
    output: service.configPlan,
    problems: ['STALE', 'CONFLICT'],
    ifMatch: 'config',
  }),
  bulk: change(`${API}/bulk`, {
    method: 'POST',
    tag: 'service',
    doc: 'Runs several operations in order and answers with the result of each.',
    scope: 'read',
    body: service.bulk,
    output: service.bulkAnswer,
  }),
  openapi: get(`${API}/openapi.json`, {
    tag: 'service',
    doc: 'This API as an OpenAPI 3.1 document.',
    output: service.openapi,
  }),
} as const;
