// A replica without HTTP: ends expired sessions and handles their events, until it is killed.
// node expiry-worker.mjs <url of Redis> <namespace> <name>, forked; sends { sessionId, eventId } of each end before it counts as handled.
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { RedisIndexedSessionRepository } from 'nestjs-redis-session/store';

const [url, namespace, replicaName] = process.argv.slice(2);
const client = new Redis(url);
client.on('error', () => undefined);
const repository = new RedisIndexedSessionRepository(client, { eventDelivery: 'once', namespace });
const tell = promisify(process.send.bind(process));
const events = repository.createEventSource({
  delivery: 'once',
  deletesHandled: true,
  handler: ({ type, sessionId, eventId }) =>
    type === 'expired' ? tell({ sessionId, eventId }) : undefined,
  replicaName,
});
process.on('disconnect', () => process.exit());
await repository.startExpiring();
await events.start();
