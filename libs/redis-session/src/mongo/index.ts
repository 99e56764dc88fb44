export { mongoSessions, type MongoSessionsOptions } from './mongo-sessions.js';
