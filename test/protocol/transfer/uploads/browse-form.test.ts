import t from 'tap';
import { type BrowseForm, browseFormOf } from '../../../../protocol/transfer/uploads/browse-form.ts';
import { gtkgReplies, limewireReplies } from '../../../support/captured-http.ts';

t.test('servents get packets, web browsers a page, others neither', async t => {
  const cases: [string | null, BrowseForm | null][] = [
    ['application/x-gnutella-packets', 'packets'],
    ['Application/X-Gnutella-Packets', 'packets'],
    ['text/html, application/x-gnutella-packets;q=0.9', 'packets'],
    ['text/html, application/x-gnutella-packets;q=0', 'page'],
    ['application/x-gnutella-packets; q=0.000', null],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', 'page'],
    ['*/*', 'page'],
    ['text/*;q=0.1', 'page'],
    ['text/html;q=0, */*', null],
    ['image/png', null],
    ['', 'page'],
    [null, 'page'],
  ];
  for (const [accept, form] of cases) t.equal(browseFormOf(accept), form, String(accept));
});

t.test('what was asked of gtk-gnutella and LimeWire is answered in the form in which those answered', async t => {
  const captured = [
    ...gtkgReplies('http-browse-packets'),
    ...gtkgReplies('http-browse-deflate'),
    ...gtkgReplies('http-browse-html'),
    ...limewireReplies().filter(({ label, head }) => /^browse/.test(label) && head.status === 200),
  ];
  t.equal(captured.length, 5);
  for (const { request, head } of captured) {
    const form = browseFormOf(/^Accept: (.*)\r$/m.exec(request)?.[1] ?? null);
    t.match(head.headers.get('Content-Type'), form === 'page' ? 'text/html' : 'application/x-gnutella-packets');
  }
});
