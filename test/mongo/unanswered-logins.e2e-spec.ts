import { mongoSessions } from 'nestjs-redis-session/mongo';
import { randomUUID } from 'node:crypto';
import { describeUnansweredLogins } from '../support/faults/unanswered-logins.js';
import { useTestMongo } from '../support/mongo/test-mongo.js';

const mongo = useTestMongo();

describeUnansweredLogins({
  name: 'MongoDB',
  port: () => mongo.port,
  // A driver that sends the command once more is told that it was done.
  storeAt: (port) =>
    mongoSessions({
      collection: `sessions_${randomUUID()}`,
      db: `${mongo.urlAt(port)}?retryWrites=false`,
    }),
  storesLogin: (command) => command.includes('SECURITY_CONTEXT'),
});
