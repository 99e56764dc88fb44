// Writes docs/options.md from the schemas of the options: names, defaults and accepted values from the built library, texts
// from the comments on the schemas. With --check it only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import prettier from 'prettier';
import ts from 'typescript';

const SOURCE = new URL('../libs/redis-session/src/', import.meta.url);
const BUILT = new URL('../libs/redis-session/dist/', import.meta.url);
const TARGET = new URL('../docs/options.md', import.meta.url);

/** Title, what is written around the options, the file of the schema and its name. */
const GROUPS = [
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
    'nest/options/indexed.options',
    'indexedOptionGroup',
  ],
  [
    'Encryption',
    'encryption: { … }',
    'session/at-rest/encryption.options',
    'encryptionOptionGroup',
  ],
  ['WebSockets', 'webSockets: { … }', 'nest/options/web-socket.options', 'webSocketOptionGroup'],
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
    'Migration',
    'features: [migrateFrom({ … })]',
    'migration/migration.options',
    'migrationOptionGroup',
  ],
];

/** Defaults that no literal shows. */
const WORDS = {
  clock: '`Date.now`',
  codec: 'JSON',
  isExempt: 'none is exempt',
  logger: "Nest's `Logger`",
  principalName: "the authentication's name",
  replicaName: "the host's name",
  sessionIdGenerator: '32 random bytes in base64url',
  toAuthentication: 'see the text',
};

/** Every comment on a member of an object literal of the library, by file and name of the member. */
const program = ts.createProgram(
  [...new Set(GROUPS.map(([, , file]) => new URL(`${file}.ts`, SOURCE).pathname))],
  {
    noResolve: false,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
  },
);
const checker = program.getTypeChecker();

function commentsOf(file, name) {
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

function descriptionOf(schema) {
  return schema?.description ?? (schema?.def.innerType && descriptionOf(schema.def.innerType));
}

function defaultOf(name, schema) {
  const { success, data } = schema.safeParse(undefined);
  if (!success) return 'required';
  if (name in WORDS) return WORDS[name];
  return data === undefined ? '' : `\`${JSON.stringify(data).replaceAll('"', "'")}\``;
}

async function sectionOf([title, use, file, name]) {
  const { [name]: group } = await import(new URL(`${file}.js`, BUILT));
  const comments = commentsOf(file, name);
  const options = Object.entries(group.shape).sort(([a], [b]) => (a < b ? -1 : 1));
  const entries = options.map(([option, schema]) => {
    const comment = comments.get(option);
    if (!comment) throw new Error(`${file}: the option ${option} has no comment.`);
    const value = defaultOf(option, schema);
    const tail = value === 'required' ? ' Required.' : value && ` Default: ${value}.`;
    const must = descriptionOf(schema);
    return `### \`${option}\`\n\n${comment}${tail}${must ? `\n\nMust be ${must}.` : ''}\n`;
  });
  return `## ${title}\n\n\`\`\`ts\n${use}\n\`\`\`\n\n${entries.join('\n')}`;
}

const sections = [];
for (const group of GROUPS) sections.push(await sectionOf(group));
const text = `# Options

Every option of every group, with its default and what it takes. An option that is unknown, wrong, or contradicts another one fails the start with one sentence.

${sections.join('\n')}`;
const config = await prettier.resolveConfig(TARGET.pathname);
const page = await prettier.format(text, { ...config, parser: 'markdown' });

if (!process.argv.includes('--check')) writeFileSync(TARGET, page);
else if (readFileSync(TARGET, 'utf8') !== page) {
  console.error(
    'docs/options.md is out of date: run "npm run docs:options" and commit the result.',
  );
  process.exit(1);
}
