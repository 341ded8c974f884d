// Figures: axes, grouping, and both ways of drawing them.
import fc from 'fast-check';
import t from 'tap';
import type { Series } from '../../../sim/model.ts';
import { axisOf, tickText } from '../../../sim/plot/axis.ts';
import { type Figure, figuresOf } from '../../../sim/plot/figure.ts';
import { svgOf } from '../../../sim/plot/svg.ts';
import { textOf } from '../../../sim/plot/text.ts';

const line = (name: string, y: readonly number[], axes: readonly [string, string] = ['servents', 'messages']) => ({
  name,
  axes,
  x: y.map((_, i) => i + 1),
  y,
});

const figureOf = (title: string, ...series: Series[]): Figure => figuresOf(title, series)[0] as Figure;

t.test('an axis holds all values, its ticks are in order, and it is logarithmic where values span much', async t => {
  const held = fc.property(
    fc.array(
      fc.integer({ min: -1e12, max: 1e12 }).map(whole => whole / 1000),
      { minLength: 1 },
    ),
    values => {
      const axis = axisOf(values);
      const sorted = [...axis.ticks].sort((a, b) => a - b);
      const inside = values.every(value => axis.place(value) >= -1e-9 && axis.place(value) <= 1 + 1e-9);
      return (
        inside && axis.ticks.length >= 2 && axis.ticks.length < 40 && sorted.every((tick, i) => tick === axis.ticks[i])
      );
    },
  );
  t.doesNotThrow(() => fc.assert(held));
  t.equal(axisOf([1, 1000]).kind, 'log');
  t.strictSame(axisOf([1, 1000]).ticks, [1, 10, 100, 1000]);
  t.equal(axisOf([0, 1000]).kind, 'linear');
  t.strictSame(axisOf([0, 10]).ticks, [0, 2, 4, 6, 8, 10]);
  t.strictSame([tickText(20_000), tickText(0.05), tickText(3e6)], ['20k', '0.05', '3M']);
});

t.test('series that share axes are one figure', async t => {
  const figures = figuresOf('costs', [line('a', [1, 2]), line('b', [2, 3]), line('c', [5], ['time', 'load'])]);
  t.strictSame(
    figures.map(({ series }) => series.map(({ name }) => name)),
    [['a', 'b'], ['c']],
  );
});

t.test('a rising line rises in characters', async t => {
  const figure = figureOf('costs', line('a', [0, 5, 10]));
  const rows = textOf(figure, 40, 11).split('\n');
  t.equal(rows[0], 'costs: messages over servents');
  const column = (row: number): number => rows[1 + row]?.indexOf('●') ?? -1;
  t.ok(column(10) >= 0 && column(10) < column(5) && column(5) < column(0), rows.join('\n'));
  t.ok(rows.every(row => row.length <= 40));
});

t.test('SVG names its axes and series, and takes any text', async t => {
  const figure = figureOf('a < b & "c"', line('one', [1, 2, 3]), line('<two>', [3, 2, 1]));
  const svg = svgOf(figure);
  t.match(svg, /<svg [^>]*viewBox/);
  t.match(svg, 'a &lt; b &amp; &quot;c&quot;');
  t.match(svg, '&lt;two&gt;');
  t.equal(svg.match(/<polyline/g)?.length, 2);
  t.equal(svg.match(/<circle/g)?.length, 6);
  t.notMatch(svg, /NaN/);
});

t.test('nothing to show is no figure with holes', async t => {
  const figure = figureOf('empty', line('none', []));
  t.notMatch(svgOf(figure), /NaN|Infinity/);
  t.notMatch(textOf(figure), /NaN|Infinity/);
});
