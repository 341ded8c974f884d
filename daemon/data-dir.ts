// Where a servent keeps its state when nobody says otherwise. Apart from the settings, so that client commands need not load them.
import envPaths from 'env-paths';

/** The platform's data folder, `servent` in it. */
export const usualDataDir = (): string => envPaths('servent', { suffix: '' }).data;
