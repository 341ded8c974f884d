// Pictures of networks: every host and link is there, and what is too much is said.
import t from 'tap';
import { networkSvg } from '../../../sim/plot/network-svg.ts';

const count = (svg: string, what: RegExp): number => svg.match(what)?.length ?? 0;

t.test('ultrapeers, leaves and those of whom nothing is known', async t => {
  const nodes = [
    { name: 'a', role: 'ultrapeer', known: true },
    { name: 'b<&"', role: 'leaf', known: true },
    { name: 'c', role: '', known: false },
  ];
  const edges = [
    ['a', 'b<&"'],
    ['a', 'c'],
    ['a', 'nobody'],
  ] as const;
  const svg = networkSvg({ title: 'three & more', nodes, edges }, ['<svg viewBox="0 0 1 1"></svg>']);
  t.match(svg, /<title>three &amp; more<\/title>/);
  t.equal(count(svg, /<line /g), 2, 'a link needs both ends');
  t.match(svg, /a ultrapeer, 3 links/);
  t.match(svg, /b&lt;&amp;&quot; leaf, 1 links/);
  t.match(svg, /<svg x="640" y="0" width="640"/);
  t.match(svg, /0 hosts and 1 links are not drawn/);
  t.equal(svg, networkSvg({ title: 'three & more', nodes, edges }, ['<svg viewBox="0 0 1 1"></svg>']));
});

t.test('of a large network those with most links are drawn, and none of an empty one', async t => {
  const nodes = Array.from({ length: 3000 }, (_, i) => ({
    name: `n${i}`,
    role: i < 50 ? 'ultrapeer' : 'leaf',
    known: true,
  }));
  const edges = Array.from({ length: 3000 }, (_, i) => [`n${i}`, `n${(i * 7) % 50}`] as const);
  const svg = networkSvg({ title: 'large', nodes, edges });
  t.match(svg, /1000 hosts and \d+ links are not drawn/);
  t.equal(count(svg, /<circle /g), 2003);
  t.notMatch(networkSvg({ title: 'none', nodes: [], edges: [] }), /NaN|Infinity/);
});
