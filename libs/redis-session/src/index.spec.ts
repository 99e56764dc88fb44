import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

/** Every name that a program may import, types among them. */
const ENTRIES = {
  'index.ts': [
    'AccessDeniedException',
    'Authenticated',
    'Authentication',
    'AuthenticationException',
    'AuthorizeBy',
    'CsrfToken',
    'CsrfTokenService',
    'CurrentSecurityContext',
    'CurrentSession',
    'CurrentUser',
    'ExceptionTranslator',
    'FreshSession',
    'FullyAuthenticated',
    'IndexedSessionOptions',
    'LoginGuard',
    'LoginService',
    'LogoutService',
    'NearCacheOptions',
    'OnSessionEvent',
    'Public',
    'RedisSessionError',
    'RedisSessionModule',
    'RedisSessionModuleOptions',
    'RedisSessionOptionsFactory',
    'RequireAnyAuthority',
    'RequireAuthorities',
    'SecuredMessages',
    'SecurityContext',
    'SecurityContextHolder',
    'SecurityEvent',
    'SecurityEvents',
    'SecurityOptions',
    'Session',
    'SessionAttributes',
    'SessionCorruptError',
    'SessionEncodingError',
    'SessionEvent',
    'SessionEvents',
    'SessionInformation',
    'SessionInvalidatedError',
    'SessionLimitError',
    'SessionManagementModule',
    'SessionOptionError',
    'SessionRegistry',
    'SessionRepository',
    'SessionRepositoryInterceptor',
    'SessionResponseCommittedError',
    'SessionStoreError',
    'drainOnShutdown',
    'nearCache',
  ],
  'http.ts': [
    'AccessDeniedHandler',
    'AuthenticationEntryPoint',
    'AuthenticationFailureHandler',
    'AuthenticationSuccessHandler',
    'BasicEntryPoint',
    'CompositeSessionIdResolver',
    'CookieOptions',
    'CookieRequestCache',
    'CookieSessionIdResolver',
    'DelegatingEntryPoint',
    'HeaderSessionIdResolver',
    'HttpExchange',
    'LoginPageEntryPoint',
    'LogoutHandler',
    'ProblemEntryPoint',
    'RequestCache',
    'SavedRequest',
    'SessionIdAnnouncement',
    'SessionIdResolver',
    'SessionRequestCache',
    'clearSiteData',
    'defaultAccessDeniedHandler',
    'setContinueKey',
    'toSafeReturnPath',
  ],
  'store.ts': [
    'AppliedChange',
    'FlushMode',
    'IndexedSessionRepository',
    'MapSessionRepository',
    'RedisIndexedSessionRepository',
    'RedisSessionRepository',
    'SaveMode',
    'SaveOutcome',
    'SessionChange',
    'SessionCodec',
    'SessionEventRecorder',
    'SessionEventSource',
    'SessionEventSubscription',
    'SessionFeature',
    'SessionIndexOptions',
    'SessionPage',
    'SessionSharing',
    'SessionStore',
    'SessionStoreOptions',
    'StoredSession',
    'StoredSessionRepository',
    'StoredSessionRepositoryOptions',
    'applyChange',
    'hasEnded',
    'recordAccess',
    'sessionFromText',
    'sessionToText',
  ],
  'express-session/index.ts': [
    'ConnectSessionOptions',
    'DoneCallback',
    'ExpressSession',
    'ExpressSessionCookie',
    'ExpressSessionOptions',
    'SessionMiddleware',
    'expressSession',
    'redisSession',
    'session',
  ],
  'migration/index.ts': [
    'MigrationOptions',
    'MigrationProgress',
    'SessionMigration',
    'migrateFrom',
  ],
  'mongo/index.ts': ['MongoSessionsOptions', 'mongoSessions'],
  'postgres/index.ts': ['PostgresSessionsOptions', 'createSessionTables', 'postgresSessions'],
  'spring/index.ts': [
    'JavaClasses',
    'JavaFieldType',
    'JavaValue',
    'RememberMeCookieOptions',
    'SpringAuthorities',
    'SpringPrincipals',
    'SpringSessionOptions',
    'forgetRememberMe',
    'javaClassOf',
    'ofJavaClass',
    'springRoles',
    'springSession',
  ],
  'testing/index.ts': [
    'CookieAgent',
    'IndexedFactoryOptions',
    'IndexedRepositoryFactory',
    'IndexedStoredRepository',
    'OverridableModule',
    'RedisSessionTestingModule',
    'RedisSessionTestingOptions',
    'SessionRepositoryFactory',
    'TestClock',
    'TestResponse',
    'describeIndexedSessionRepository',
    'describeSessionRepository',
    'describeSessionStore',
    'loginAs',
    'sessionOf',
    'withMemorySessions',
  ],
};

function namesOf(file: string): string[] {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  return source.statements
    .flatMap((statement) =>
      ts.isExportDeclaration(statement) &&
      statement.exportClause &&
      ts.isNamedExports(statement.exportClause)
        ? statement.exportClause.elements.map(({ name }) => name.text)
        : [],
    )
    .sort();
}

describe('the entries of the package', () => {
  it.each(Object.entries(ENTRIES))('%s exports these names and no others', (file, names) => {
    expect(namesOf(file)).toEqual(names);
  });

  it('has at most 50 names in the first entry', () => {
    expect(ENTRIES['index.ts'].length).toBeLessThanOrEqual(50);
  });
});
