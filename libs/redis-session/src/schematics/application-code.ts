import { MetadataManager } from '@nestjs/schematics/dist/utils/metadata.manager.js';

/** Which parts of the library the application gets. */
export interface AddedParts {
  /** URL of the Redis while `REDIS_URL` is not set. */
  readonly redis: string;
  readonly login: boolean;
  /** Whether the application keeps `req.session` and takes over the sessions of express-session. */
  readonly expressSession: boolean;
}

/**
 * Adds the modules to the code of `app.module.ts`.
 *
 * @param importSuffix - of the paths of files of the application: `.js` in ES modules, else nothing
 * @throws Error when the code has no `@Module({ … })`
 */
export function addToModule(code: string, parts: AddedParts, importSuffix: string): string {
  const calls = [moduleCall(parts), ...(parts.login ? ['AuthModule'] : [])].join(',\n    ');
  const hasImports = /imports:\s*\[\s*[^\s\]]/.test(code);
  const symbol = hasImports ? calls : `\n    ${calls},\n  `;
  const withModules = new MetadataManager(code).insert('imports', symbol);
  if (withModules === undefined || withModules === code)
    throw new Error(
      'Cannot add sessions: app.module.ts has no @Module({ … }) with a list of imports. Import RedisSessionModule.forRoot() yourself.',
    );
  return addImports(withModules, importsOf(parts, importSuffix));
}

/** Refuses forms that other sites send, which Nest 12 can. @returns `code` itself if it has no `app.listen` */
export function addToMain(code: string): string {
  if (code.includes('enableCsrfProtection')) return code;
  return code.replace(/^( *)(?=await app\.listen\()/m, '$1app.enableCsrfProtection();\n$1');
}

function moduleCall({ redis, login, expressSession }: AddedParts): string {
  const url = JSON.stringify(redis).slice(1, -1).replaceAll("'", "\\'");
  const lines = [
    `      redis: process.env['REDIS_URL'] ?? '${url}',`,
    // A new application has no sessions that hashed ids would end.
    ...(expressSession ? EXPRESS_SESSION_LINES : ['      hashIds: true,']),
    ...(login ? LOGIN_LINES : []),
  ];
  return `RedisSessionModule.forRoot({\n${lines.join('\n')}\n    })`;
}

const EXPRESS_SESSION_LINES = [
  '      features: [',
  '        expressSession({ passport: true }),',
  '        migrateFrom({',
  "          from: 'express-session',",
  "          phase: 'share',",
  "          secrets: [process.env['SESSION_SECRET']],",
  '        }),',
  '      ],',
];

const LOGIN_LINES = [
  '      security: {',
  "        loginPage: '/login',",
  "        defaultSuccessPath: '/members',",
  "        logout: { successPath: '/login' },",
  '      },',
];

function importsOf({ login, expressSession }: AddedParts, suffix: string): string[] {
  return [
    `import { RedisSessionModule } from 'nestjs-redis-session';`,
    ...(expressSession
      ? [
          `import { expressSession } from 'nestjs-redis-session/express-session';`,
          `import { migrateFrom } from 'nestjs-redis-session/migration';`,
        ]
      : []),
    ...(login ? [`import { AuthModule } from './auth/auth.module${suffix}';`] : []),
  ];
}

/** Behind the first import, which has the decorators of Nest. */
function addImports(code: string, imports: readonly string[]): string {
  const [first = ''] = /^import [^;]*;\n/m.exec(code) ?? [];
  return code.replace(first, `${first}${imports.join('\n')}\n`);
}
