// Starts the dashboard on a terminal and restores the terminal at the end, also after an error.
import { App, type Source } from './app.ts';
import { MemoryFile, memoryPath } from './memory-file.ts';
import type { Remembered } from './remembered.ts';
import { Screen, type TerminalInput, type TerminalOutput } from './screen.ts';
import { charsetOf, createTheme, depthOf } from './theme.ts';

export interface DashboardOptions {
  readonly sources: readonly Source[];
  readonly input: TerminalInput;
  readonly output: TerminalOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly plain?: boolean;
  readonly ascii?: boolean;
  readonly mouse?: boolean;
  /** Keeps order and columns of lists between sessions. */
  readonly remember?: boolean;
}

export async function demoSource(): Promise<Source> {
  const { DemoWorld } = await import('./demo/world.ts');
  const world = new DemoWorld({ now: Date.now });
  return { name: 'demo', url: 'a made-up network', client: world.client };
}

/** True unless input and output are a terminal that can move its cursor. */
export function wantsPlain({ plain, input, output, env }: DashboardOptions): boolean {
  const term = env['TERM'] ?? '';
  return plain === true || input.isTTY !== true || output.isTTY !== true || term === '' || term === 'dumb';
}

/** Resolves to the signal that ended the dashboard, or null after `q`. */
export async function runDashboard(options: DashboardOptions): Promise<NodeJS.Signals | null> {
  const { sources, input, output, env } = options;
  if (wantsPlain(options)) {
    const { runPlain } = await import('./plain.ts');
    await runPlain({ sources, input, now: Date.now, write: text => void output.write(text) });
    return null;
  }
  const theme = createTheme(depthOf(env), options.ascii === true ? 'ascii' : charsetOf(env));
  const mouse = options.mouse ?? true;
  let app: App | null = null;
  const path = options.remember === true ? memoryPath(env) : null;
  const memory = path === null ? null : new MemoryFile(path, text => app?.notice(text));
  const signal = await new Promise<NodeJS.Signals | null>((resolve, reject) => {
    let screen: Screen | null = null;
    const running = new App({
      sources,
      theme,
      mouse,
      now: Date.now,
      ...(memory === null ? {} : { onRemember: (remembered: Remembered) => memory.keep(remembered) }),
      onQuit: () => end(() => resolve(null)),
      onInternalError: error => end(() => reject(error)),
    });
    const end = (then: () => void): void => {
      running.stop();
      screen?.stop();
      for (const [name, listener] of listeners) process.removeListener(name, listener);
      then();
    };
    const crashed = (error: unknown): void => end(() => reject(error));
    const ended = (name: NodeJS.Signals | null): void => end(() => resolve(name));
    const signals = (['SIGTERM', 'SIGINT', 'SIGHUP'] as const).map((name): [string, () => void] => [
      name,
      () => ended(name),
    ]);
    const listeners: [string, (cause: unknown) => void][] = [
      ['uncaughtException', crashed],
      ['unhandledRejection', crashed],
      ...signals,
      ['exit', () => screen?.stop()],
    ];
    for (const [name, listener] of listeners) process.on(name, listener);
    input.once('end', () => ended(null));
    output.once('error', crashed);
    try {
      app = running;
      screen = new Screen({ input, output, term: env['TERM'] ?? '', mouse, events: running.events });
      running.start(screen);
      // after the first frame, so that it does not delay the start
      memory?.read().then(remembered => {
        if (remembered !== null) running.dispatch({ type: 'remembered', remembered });
      }, crashed);
    } catch (error) {
      crashed(error);
    }
  });
  await memory?.flush();
  return signal;
}
