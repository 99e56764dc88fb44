import { mongoSessions } from 'nestjs-redis-session/mongo';
import { type Collection } from 'mongodb';
import { type SessionDocument } from '../../libs/redis-session/src/mongo/sessions/session-document.js';
import { describeRaces } from '../support/faults/races.js';
import { useTestMongo } from '../support/mongo/test-mongo.js';

const mongo = useTestMongo();
const idOf = (cookie: string) => cookie.slice('SESSION='.length);
const sessions = (): Collection<SessionDocument> => mongo.db.collection('http_sessions');

describeRaces({
  options: () => ({ store: mongoSessions({ db: mongo.url }) }),
  stored: async () => {
    const documents = await sessions()
      .find({ expireAt: { $gt: new Date(1) } })
      .toArray();
    return documents.map(({ sessionId }) => sessionId);
  },
  nameOf: idOf,
  expire: async (cookie) => {
    await sessions().updateOne({ sessionId: idOf(cookie) }, { $set: { expireAt: new Date(1) } });
  },
  clear: async () => {
    await sessions().deleteMany({});
  },
});
