import { mongoSessions } from 'nestjs-redis-session/mongo';
import { startFerretServer } from '../../tools/servers/ferretdb-server.mjs';
import { describeOutages } from '../support/faults/outages.js';

describeOutages({
  name: 'MongoDB',
  startServer: startFerretServer,
  storeAt: (port) => mongoSessions({ db: `mongodb://127.0.0.1:${port}/shop` }),
  told: ['no answer within'],
});
