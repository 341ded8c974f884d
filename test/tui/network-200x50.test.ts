import t from 'tap';
import { tour } from '../support/dashboard-tour.ts';
import { TMUX_MISSING } from '../support/pane.ts';

t.test(
  'the dashboard steers a real network from a terminal of 200 by 50',
  { skip: TMUX_MISSING, timeout: 110_000 },
  t => tour(t, 200, 50),
);
