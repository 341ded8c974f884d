// The admin API's operations on the daemon itself: its state, configuration, API keys, hooks and health.
import type { ById, ConfigPlan, Control } from '../../api/control.ts';
import { ApiError, notFound } from '../../api/errors.ts';
import { pageOf } from '../../api/page.ts';
import { SettingsError } from '../../settings/faults.ts';
import { deliveryView } from '../views/hooks.ts';
import type { ControlParts } from './control-parts.ts';
import { refusalOf } from './refusals.ts';
import { statusView } from './status-view.ts';

type ServiceControl = Pick<
  Control,
  | 'status'
  | 'doctor'
  | 'live'
  | 'ready'
  | 'config'
  | 'changeConfig'
  | 'reloadConfig'
  | 'keys'
  | 'createKey'
  | 'removeKey'
  | 'hooks'
  | 'deliveries'
  | 'replay'
>;

export function serviceControl(parts: ControlParts): ServiceControl {
  const { live, health, keys, hooks } = parts;
  return {
    status: () => statusView(parts),
    doctor: () => health.doctor(),
    live: () => ({ status: 'ok' }),
    ready: () => health.ready(),

    config: () => live.view(),
    changeConfig: ({ patch, dryRun }) => {
      // A hook runs a program: a stolen API key must not be able to add one.
      if (Object.hasOwn(patch, 'hooks'))
        throw new ApiError(
          'FORBIDDEN',
          'hooks cannot be changed over the API: edit the configuration file and run "servent config reload"',
        );
      return validated(live.change(patch, { dryRun }));
    },
    reloadConfig: () => validated(parts.reload()),

    keys: input => pageOf(keys.list(), input, idOf, asItIs),
    createKey: input => keys.create(input),
    removeKey: async ({ id }) => {
      if (!(await keys.remove(id))) throw notFound('key', id);
    },

    hooks: input => pageOf(hooks.list(), input, idOf, asItIs),
    deliveries: ({ id, ...page }) => {
      const deliveries = hooks.deliveries(id);
      if (deliveries === null) throw notFound('hook', id);
      return pageOf(deliveries, page, ({ event, attempt, at }) => `${event}-${attempt}-${at}`, deliveryView);
    },
    replay: async ({ id, since }) => {
      const hook = await hooks.replay(id, since);
      if (hook === null) throw notFound('hook', id);
      return hook;
    },
  };
}

const idOf = ({ id }: ById): string => id;
const asItIs = <T>(row: T): T => row;

/** Turns a settings error into INVALID, and a configuration file that cannot be written into CONFLICT. */
async function validated(plan: Promise<ConfigPlan>): Promise<ConfigPlan> {
  try {
    return await plan;
  } catch (cause) {
    if (cause instanceof SettingsError) {
      const faults = cause.faults.map(({ key, text }) => ({ in: 'body' as const, field: key, detail: text }));
      throw new ApiError('INVALID', cause.message, { faults, cause });
    }
    const { code, path } = cause as NodeJS.ErrnoException;
    if (code === undefined || refusalOf(cause) !== null) throw cause;
    throw new ApiError('CONFLICT', `the configuration file cannot be written (${code} ${path ?? ''})`, { cause });
  }
}
