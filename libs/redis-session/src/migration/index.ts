export {
  type MigrationOptions,
  type MigrationProgress,
  type SessionMigration,
  migrateFrom,
} from './migrate-from.js';
