export { postgresSessions, type PostgresSessionsOptions } from './postgres-sessions.js';
export { createSessionTables } from './session-tables.js';
