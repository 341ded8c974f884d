// Draws a figure as SVG, for documents and pages, light or dark.

import { tickText } from './axis.ts';
import { type Figure, pointsOf } from './figure.ts';

const WIDTH = 640;
const HEIGHT = 400;
const MARGIN = { left: 64, right: 16, top: 32, bottom: 48 };
const LEGEND_LINE = 16;
/** Told apart by people with any colour vision (Okabe and Ito). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7f7f7f', '#000000'];

export function svgOf(figure: Figure): string {
  const { title, labels, series } = figure;
  const legend = series.length > 1 ? series.length * LEGEND_LINE : 0;
  const height = HEIGHT + legend;
  const left = MARGIN.left;
  const [width, plotHeight] = [WIDTH - left - MARGIN.right, HEIGHT - MARGIN.top - MARGIN.bottom];
  const atX = (share: number): string => (left + share * width).toFixed(1);
  const atY = (share: number): string => (MARGIN.top + (1 - share) * plotHeight).toFixed(1);
  const lines = series.map((one, i) => {
    const colour = COLOURS[i % COLOURS.length] ?? '#000000';
    const points = pointsOf(figure, one).map(({ x, y }) => `${atX(x)},${atY(y)}`);
    const dots = points
      .map(point => point.split(','))
      .map(([x, y]) => `<circle cx="${x}" cy="${y}" r="2.5" fill="${colour}"/>`);
    return `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points.join(' ')}"/>${dots.join('')}`;
  });
  const ticksX = figure.x.ticks.map(
    tick =>
      `<line x1="${atX(figure.x.place(tick))}" x2="${atX(figure.x.place(tick))}" y1="${atY(0)}" y2="${atY(1)}" stroke="#8884"/>` +
      `<text x="${atX(figure.x.place(tick))}" y="${HEIGHT - MARGIN.bottom + 16}" text-anchor="middle">${tickText(tick)}</text>`,
  );
  const ticksY = figure.y.ticks.map(
    tick =>
      `<line x1="${atX(0)}" x2="${atX(1)}" y1="${atY(figure.y.place(tick))}" y2="${atY(figure.y.place(tick))}" stroke="#8884"/>` +
      `<text x="${left - 6}" y="${atY(figure.y.place(tick))}" dy="4" text-anchor="end">${tickText(tick)}</text>`,
  );
  const names = legend === 0 ? [] : series.map(({ name }, i) => legendLine(name, i));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12" fill="#555">`,
    `<title>${escaped(`${title}: ${labels[1]} over ${labels[0]}`)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${left}" y="20" font-size="14">${escaped(title)}</text>`,
    ...ticksX,
    ...ticksY,
    ...lines,
    `<text x="${left + width / 2}" y="${HEIGHT - 12}" text-anchor="middle">${escaped(labels[0])}</text>`,
    `<text transform="translate(14 ${MARGIN.top + plotHeight / 2}) rotate(-90)" text-anchor="middle">${escaped(labels[1])}</text>`,
    ...names,
    '</svg>\n',
  ].join('\n');
}

function legendLine(name: string, i: number): string {
  const y = HEIGHT + i * LEGEND_LINE;
  const colour = COLOURS[i % COLOURS.length] ?? '#000000';
  return `<rect x="${MARGIN.left}" y="${y - 8}" width="12" height="4" fill="${colour}"/><text x="${MARGIN.left + 20}" y="${y}">${escaped(name)}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
