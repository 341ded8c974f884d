// What holds for any bytes in any chunks.
import fc from 'fast-check';
import t from 'tap';
import type { HandshakeOutcome } from '../../../protocol/handshake/handshake.ts';
import { readCapturedHandshakes } from '../../support/captured-handshakes.ts';
import { cut, feedAll, newHandshake, outcomeOf } from '../../support/handshake-pair.ts';

const lengths = fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 20 });
const sides = readCapturedHandshakes().flatMap(capture => [
  { direction: 'in' as const, steps: [capture.hello, Buffer.concat([capture.acknowledgement, capture.connectorRest])] },
  { direction: 'out' as const, steps: [Buffer.concat([capture.answer, capture.acceptorRest])] },
]);

t.test('two of ours agree on the rest, however both streams are cut', async () => {
  fc.assert(
    fc.property(lengths, lengths, fc.uint8Array(), fc.uint8Array(), (outCuts, inCuts, early, late) => {
      const connector = newHandshake('out');
      const acceptor = newHandshake('in');
      feedAll(acceptor, cut(connector.take(), outCuts));
      const fromAcceptor = feedAll(connector, cut(Buffer.concat([acceptor.take(), late]), inCuts));
      const fromConnector = feedAll(acceptor, cut(Buffer.concat([connector.take(), early]), outCuts));
      return fromAcceptor.equals(late) && fromConnector.equals(early);
    }),
  );
});

t.test('any bytes: no exception, no more memory than a header block, an outcome at most once', async () => {
  const start = fc.constantFrom('', 'GNUTELLA CONNECT/0.6\r\n', 'GNUTELLA/0.6 200 OK\r\n', 'GNUTELLA CONNECT/0.4\n\n');
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }).map(bytes => Buffer.from(bytes)),
    fc
      .array(fc.constantFrom('\r\n', '\n', ': ', 'X-Ultrapeer', 'True', 'Crawler', 'GNUTELLA/0.6 200 OK', '\0', ','))
      .map(parts => Buffer.from(parts.join(''))),
  );
  fc.assert(
    fc.property(
      fc.constantFrom('in' as const, 'out' as const),
      start,
      noise,
      lengths,
      (direction, head, tail, cuts) => {
        const handshake = newHandshake(direction, { context: { acceptLegacy: true } });
        let outcome: HandshakeOutcome | null = null;
        for (const chunk of cut(Buffer.concat([Buffer.from(head), tail]), cuts)) {
          handshake.feed(chunk);
          if (handshake.heldBytes > 16_384) return false;
          if (outcome !== null && outcomeOf(handshake) !== outcome) return false;
          outcome = outcomeOf(handshake);
        }
        return true;
      },
    ),
    { numRuns: 500 },
  );
});

t.test('captured handshakes with bytes changed, cut out or put in: no exception', async () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 3 })), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(fc.constantFrom(...sides), damage, lengths, ({ direction, steps }, hits, cuts) => {
      const handshake = newHandshake(direction, { context: { acceptLegacy: true } });
      for (const step of steps) {
        let bytes: Buffer = step;
        for (const [where, byte, removed] of hits) {
          const at = where % (bytes.length + 1);
          bytes = Buffer.concat([bytes.subarray(0, at), Buffer.of(byte), bytes.subarray(at + removed)]);
        }
        feedAll(handshake, cut(bytes, cuts));
        handshake.take();
      }
      return handshake.heldBytes <= 16_384;
    }),
    { numRuns: 500 },
  );
});
