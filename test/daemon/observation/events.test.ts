import t from 'tap';
import { EventBus } from '../../../daemon/observation/events.ts';

t.test('listeners hear their event, in order, until they are taken off', async t => {
  const bus = new EventBus({ onMistake: error => t.fail(String(error)) });
  const heard: string[] = [];
  const off = bus.on('link.closed', ({ reason }) => heard.push(`first ${reason}`));
  bus.on('link.closed', ({ reason }) => heard.push(`second ${reason}`));
  bus.onAny((_, name) => heard.push(name));
  bus.emit('link.closed', { id: '1', address: '127.0.0.1:1', code: 200, reason: 'bye' });
  off();
  bus.emit('link.closed', { id: '1', address: '127.0.0.1:1', code: 200, reason: 'end' });
  bus.emit('download.removed', { id: '1' });
  t.strictSame(heard, ['first bye', 'second bye', 'link.closed', 'second end', 'link.closed', 'download.removed']);
});

t.test('a listener that throws stops neither the others nor whoever emitted', async t => {
  const mistakes: string[] = [];
  const bus = new EventBus({ onMistake: (error, name) => mistakes.push(`${name}: ${String(error)}`) });
  let heard = 0;
  bus.on('download.removed', () => {
    throw new Error('boom');
  });
  bus.on('download.removed', () => heard++);
  bus.emit('download.removed', { id: '1' });
  t.equal(heard, 1);
  t.strictSame(mistakes, ['download.removed: Error: boom']);
});
