export { type MigrationProgress, type SessionMigration, migrateFrom } from './migrate-from.js';
export { type MigrationOptions } from './migration.options.js';
