import t from 'tap';
import { tour } from '../support/dashboard-tour.ts';
import { TMUX_MISSING } from '../support/pane.ts';

t.test('the dashboard steers a real network from a terminal of 80 by 24', { skip: TMUX_MISSING, timeout: 110_000 }, t =>
  tour(t, 80, 24),
);
