// Icons of lines on a 24×24 grid, in the colour of the text.
import { h, type Sketch } from './sketch.ts';

const PATHS = {
  status: 'M3 12h4l3-8 4 16 3-8h4',
  peers: 'M12 5v5M12 10l-6 6M12 10l6 6M12 5a2 2 0 1 0 0-.01M6 18a2 2 0 1 0 0-.01M18 18a2 2 0 1 0 0-.01',
  queries: 'M4 5h16v11H10l-4 4v-4H4zM8 9h8M8 12h5',
  searches: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.5 15.5L21 21',
  downloads: 'M12 3v12M7 10l5 5 5-5M4 20h16',
  uploads: 'M12 16V4M7 9l5-5 5 5M4 20h16',
  library: 'M3 6h6l2 2h10v11H3z',
  measure: 'M4 4v16h16M8 16v-5M12 16V7M16 16v-3',
  pause: 'M8 5v14M16 5v14',
  resume: 'M7 5l12 7-12 7z',
  cancel: 'M6 6l12 12M18 6L6 18',
  fetch: 'M12 4v11M7 10l5 5 5-5M5 20h14',
  more: 'M6 9l6 6 6-6',
  key: 'M15 4a5 5 0 1 0 0 10 5 5 0 0 0 0-10M11 12l-8 8M6 17l3 3',
  yes: 'M5 13l5 5L20 6',
  no: 'M12 4v10M12 19v.5',
  leave: 'M10 4H4v16h6M9 12h12M17 8l4 4-4 4',
} as const;

export type IconName = keyof typeof PATHS;

/** Icon hidden from screen readers; its button or text has the meaning. */
export function icon(name: IconName): Sketch {
  return h(
    'svg',
    { class: `icon icon-${name}`, viewBox: '0 0 24 24', 'aria-hidden': 'true', focusable: 'false' },
    h('path', { d: PATHS[name] }),
  );
}
