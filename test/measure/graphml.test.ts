// GraphML is XML whatever hosts say of themselves.
import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import t from 'tap';
import { graphml } from '../../measure/graphml.ts';
import type { CrawledHost } from '../../protocol/crawl/crawl-report.ts';

const host = (address: string, userAgent: string): CrawledHost => ({
  ...{ address, userAgent, state: 'answered', why: '', role: 'ultrapeer', uptime: 5 },
  ...{ ultrapeers: 1, leaves: 0, way: 'tcp', ms: 1 },
});

/** Ids of nodes, ends of edges, and texts; throws for what is no XML. */
function read(xml: string): { nodes: string[]; edges: string[]; texts: string[] } {
  const [nodes, edges, texts]: string[][] = [[], [], []];
  const parser = new SaxesParser();
  parser.on('error', error => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    if (name === 'node') nodes?.push(attributes['id'] ?? '');
    if (name === 'edge') edges?.push(`${attributes['source']} ${attributes['target']}`);
  });
  parser.on('text', text => text.trim() !== '' && texts?.push(text));
  parser.write(xml).close();
  return { nodes: nodes ?? [], edges: edges ?? [], texts: texts ?? [] };
}

t.test('nodes and edges with what is known of them', async t => {
  const hosts = [host('1.2.3.4:5', 'A & <B> "C"'), host('[2001:db8::1]:6', '')];
  const edges = [{ host: '1.2.3.4:5', neighbour: '[2001:db8::1]:6', kind: 'leaf', both: true }] as const;
  const found = read([...graphml(hosts, edges)].join(''));
  t.strictSame(found.nodes, ['1.2.3.4:5', '[2001:db8::1]:6']);
  t.strictSame(found.edges, ['1.2.3.4:5 [2001:db8::1]:6']);
  t.strictSame(found.texts, ['answered', 'ultrapeer', 'A & <B> "C"', '5', 'answered', 'ultrapeer', '5', 'leaf', '2']);
});

t.test('any text is XML', async t => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.integer({ min: 0, max: 0xffff }), (text, unit) => {
      read([...graphml([host('1.2.3.4:5', text + String.fromCharCode(unit))], [])].join(''));
    }),
    { numRuns: 500, seed: 51 },
  );
  t.pass('each was read');
});
