// The groups of options, and the comments on their schemas.
import ts from 'typescript';

const SOURCE = new URL('../libs/redis-session/src/', import.meta.url);

/** Title, what is written around the options, the file of the schema and its name. */
export const GROUPS = [
  [
    'Module',
    'RedisSessionModule.forRoot({ … })',
    'nest/options/redis-session.options',
    'moduleOptionGroup',
  ],
  ['Cookie', 'cookie: { … }', 'http/session-id/cookie-options', 'cookieOptionGroup'],
  ['Security', 'security: { … }', 'nest/options/security.options', 'securityOptionGroup'],
  ['CSRF', 'security: { csrf: { … } }', 'nest/options/security.options', 'csrfOptionGroup'],
  ['Logout', 'security: { logout: { … } }', 'nest/options/security.options', 'logoutOptionGroup'],
  [
    'Remember me',
    'security: { rememberMe: { … } }',
    'security/remember-me',
    'rememberMeOptionGroup',
  ],
  [
    'Indexed sessions',
    "repository: 'indexed', indexed: { … }",
    'nest/options/redis-session.options',
    'indexedOptionGroup',
  ],
  ['Durability', 'durability: { … }', 'redis/client/durable-writes', 'durabilityOptionGroup'],
  ['Encryption', 'encryption: { … }', 'session/repository-options', 'encryptionOptionGroup'],
  ['WebSockets', 'webSockets: { … }', 'nest/options/redis-session.options', 'webSocketOptionGroup'],
  [
    'Near cache',
    'features: [nearCache({ … })]',
    'nest/options/near-cache.feature',
    'nearCacheOptionGroup',
  ],
  [
    'express-session',
    'features: [expressSession({ … })]',
    'express-session/express-session.feature',
    'expressSessionOptionGroup',
  ],
  [
    'session()',
    'app.use(session({ … }))',
    'express-session/connect/connect-session.options',
    'connectSessionOptionGroup',
  ],
  ['Spring', 'features: [springSession({ … })]', 'spring/spring.options', 'springOptionGroup'],
  [
    'PostgreSQL',
    'store: postgresSessions({ … })',
    'postgres/postgres-sessions',
    'postgresOptionGroup',
  ],
  ['MongoDB', 'store: mongoSessions({ … })', 'mongo/mongo-sessions', 'mongoOptionGroup'],
  ['Migration', 'features: [migrateFrom({ … })]', 'migration/migrate-from', 'migrationOptionGroup'],
];

/** Of the schemas and what they are made of. */
export const program = ts.createProgram(
  [...new Set(GROUPS.map(([, , file]) => new URL(`${file}.ts`, SOURCE).pathname))],
  {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    exactOptionalPropertyTypes: true,
  },
);
const checker = program.getTypeChecker();

/** The comment on each option of a group, by its name. @returns {Map<string, string>} */
export function commentsOf(/** @type {string} */ file, /** @type {string} */ name) {
  const source = program.getSourceFile(new URL(`${file}.ts`, SOURCE).pathname);
  const symbol = checker
    .getExportsOfModule(checker.getSymbolAtLocation(source))
    .find((each) => each.name === name);
  const shape = checker.getTypeOfPropertyOfType(checker.getTypeOfSymbol(symbol), 'shape');
  return new Map(
    checker
      .getPropertiesOfType(shape)
      .map((member) => [
        member.name,
        ts.displayPartsToString(member.getDocumentationComment(checker)).replaceAll(/\s+/g, ' '),
      ]),
  );
}
