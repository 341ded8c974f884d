// Settings of a running daemon. One object whose values change in place; a part that copies a value
// registers with `on`.
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ConfigChangeView, ConfigPlan, ConfigView } from '../api/control.ts';
import { type Fault, nearest, SettingsError } from './faults.ts';
import { FILE_NAME, resolveSettings } from './resolve.ts';
import { type ResolvedSettings, type SettingKey, type Settings, settingsList } from './settings.ts';
import { configView, settingValue, withoutPassword } from './view.ts';

export type Applier = (settings: Settings) => unknown;

export class LiveSettings {
  readonly resolved: ResolvedSettings;
  /** Listeners by key, all added at the start. */
  readonly #appliers: { keys: readonly SettingKey[]; apply: Applier }[] = [];
  /** Changed settings that take effect at the next start. */
  waiting: readonly SettingKey[] = [];
  readonly #onTaken: (plan: ConfigPlan) => void;
  #turn: Promise<unknown> = Promise.resolve();

  /** `onTaken` is called with each plan that was applied. */
  constructor(resolved: ResolvedSettings, onTaken: (plan: ConfigPlan) => void) {
    this.#onTaken = onTaken;
    this.resolved = { ...resolved, settings: structuredClone(resolved.settings), origins: { ...resolved.origins } };
  }

  get settings(): Settings {
    return this.resolved.settings;
  }

  /** Calls `apply` once when one or more of `keys` changed. An exception becomes the error of those changes, which are undone. */
  on(keys: readonly SettingKey[], apply: Applier): void {
    this.#appliers.push({ keys, apply });
  }

  view(): ConfigView {
    return configView(this.resolved);
  }

  /**
   * Applies a JSON merge patch in the shape of the file; null removes a key. Writes the file, with comments kept, then applies the changes
   * that need no restart. Throws SettingsError and changes nothing when the result is not a valid configuration.
   */
  change(patch: Readonly<Record<string, unknown>>, { dryRun = false } = {}): Promise<ConfigPlan> {
    return this.#inTurn(async () => {
      const { editSettings, readIfThere } = await import('./file.ts');
      const edits = editsOf(patch);
      const file = this.resolved.file ?? join(this.settings.dataDir, FILE_NAME);
      const before = (await readIfThere(file)) ?? '';
      let text = before;
      for (const { key, value } of edits) text = editSettings(text, file, key, value);
      const next = await resolveSettings(this.resolved.sources, { file, text });
      const overruled = edits.flatMap(({ key, value }) => {
        const { kind, where } = next.origins[key];
        return value !== undefined && (kind === 'flag' || kind === 'environment') ? [{ key, by: where ?? kind }] : [];
      });
      if (!dryRun && text !== before) {
        const { default: writeFileAtomic } = await import('write-file-atomic');
        await mkdir(dirname(file), { recursive: true });
        await writeFileAtomic(file, text);
      }
      return this.#take(next, dryRun, overruled);
    });
  }

  /** Reads all sources again. Throws SettingsError and changes nothing when the file is invalid. */
  reload(): Promise<ConfigPlan> {
    return this.#inTurn(async () => this.#take(await resolveSettings(this.resolved.sources), false, []));
  }

  /** Runs changes one after another. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work, work);
    this.#turn = Promise.allSettled([done]); // the caller gets the error
    return done;
  }

  async #take(next: ResolvedSettings, dryRun: boolean, overruled: ConfigPlan['overruled']): Promise<ConfigPlan> {
    const changes = this.#changes(next);
    if (!dryRun) {
      for (const change of changes.filter(({ effect }) => effect !== 'restart')) {
        place(this.settings, change.key as SettingKey, change.to);
        change.applied = true;
      }
      await this.#apply(changes);
      this.waiting = changes.filter(({ applied }) => !applied).map(({ key }) => key as SettingKey);
      for (const { key } of settingsList)
        if (!this.waiting.includes(key)) Object.assign(this.resolved.origins, { [key]: next.origins[key] });
      this.resolved.file = next.file;
    }
    const restart = changes.some(({ effect }) => effect === 'restart');
    const shown = changes.map(change => ({
      ...change,
      from: withoutPassword(change.from),
      to: withoutPassword(change.to),
    }));
    const plan = { file: next.file, dryRun, changes: shown, overruled, restart };
    if (!dryRun) this.#onTaken(plan);
    return plan;
  }

  #changes(next: ResolvedSettings): ConfigChangeView[] {
    // Defaults that depend on profile or data folder change with these at the next start.
    const elsewhere =
      next.settings.profile !== this.settings.profile || next.settings.dataDir !== this.settings.dataDir;
    return settingsList.flatMap(({ key, setting }) => {
      const from = settingValue(this.settings, key);
      const to = settingValue(next.settings, key);
      if (JSON.stringify(from) === JSON.stringify(to)) return [];
      const { kind } = next.origins[key];
      const waits = elsewhere && (kind === 'profile' || kind === 'default');
      return [{ key, from, to, effect: waits ? 'restart' : setting.change, applied: false, error: null }];
    });
  }

  async #apply(changes: readonly ConfigChangeView[]): Promise<void> {
    for (const { keys, apply } of this.#appliers) {
      const concerned = changes.filter(({ key, applied }) => applied && keys.includes(key as SettingKey));
      if (concerned.length === 0) continue;
      try {
        await apply(this.settings);
      } catch (error) {
        for (const change of concerned) {
          place(this.settings, change.key as SettingKey, change.from);
          change.applied = false;
          change.error = error instanceof Error ? error.message : String(error);
        }
      }
    }
  }
}

function place(settings: Settings, key: SettingKey, value: unknown): void {
  const [section = '', name] = key.split('.');
  const outer = settings as unknown as Record<string, unknown>;
  if (name === undefined) outer[section] = value;
  else (outer[section] as Record<string, unknown>)[name] = value;
}

interface Edit {
  key: SettingKey;
  /** undefined: remove it from the file. */
  value: unknown;
}

const known = new Map(settingsList.map(row => [row.key as string, row]));

/** Throws SettingsError for unknown keys. */
function editsOf(patch: Readonly<Record<string, unknown>>): Edit[] {
  const faults: Fault[] = [];
  const edits: Edit[] = [];
  const take = (key: string, value: unknown): void => {
    if (known.has(key)) edits.push({ key: key as SettingKey, value: value === null ? undefined : value });
    else {
      const near = nearest(key, known.keys());
      faults.push({ key, text: `unknown key ${key}${near === null ? '' : `; did you mean ${near}?`}` });
    }
  };
  for (const [section, value] of Object.entries(patch)) {
    const inner = typeof value === 'object' && value !== null && !Array.isArray(value) && !known.has(section);
    if (!inner) take(section, value);
    else for (const [name, below] of Object.entries(value)) take(`${section}.${name}`, below);
  }
  if (faults.length > 0) throw new SettingsError(faults);
  return edits;
}
