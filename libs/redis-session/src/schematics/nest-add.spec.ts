import { type SchematicContext, type Tree } from '@angular-devkit/schematics';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { nestAdd, type NestAddOptions } from './nest-add.js';

const APP_MODULE = `import { Module } from '@nestjs/common';
import { AppController } from './app.controller.js';

@Module({
  imports: [],
  controllers: [AppController],
})
export class AppModule {}
`;

const MAIN = `const app = await NestFactory.create(AppModule);
await app.listen(process.env.PORT ?? 3000);
`;

const OPTIONS: NestAddOptions = {
  ...{ redis: 'redis://localhost:6379', login: true, expressSession: false },
  ...{ tests: true, sourceRoot: 'src' },
};

describe('nest add', () => {
  let files: Map<string, string>;
  let warnings: string[];
  let tasks: unknown[];

  beforeEach(() => {
    files = new Map([
      ['src/app.module.ts', APP_MODULE],
      ['src/main.ts', MAIN],
    ]);
    makeManifest({ type: 'module', dependencies: { '@nestjs/core': '^12.0.0' } });
    warnings = [];
    tasks = [];
  });

  function makeManifest(json: object): void {
    files.set('package.json', JSON.stringify(json));
  }

  function add(options: Partial<NestAddOptions> = {}): void {
    const context = {
      logger: { warn: (text: string) => warnings.push(text) },
      addTask: (task: { toConfiguration(): unknown }) => tasks.push(task.toConfiguration()),
    } as unknown as SchematicContext;
    const tree = {
      read: (path: string) => files.get(path) ?? null,
      create: (path: string, text: string) => files.set(path, text),
      overwrite: (path: string, text: string) => files.set(path, text),
    } as unknown as Tree;
    void nestAdd({ ...OPTIONS, ...options })(tree, context);
  }

  const read = (path: string): string => files.get(path) ?? '';

  it('takes flags as texts, as the CLI of Nest 11 gives them', () => {
    add({ login: 'false', tests: 'false', expressSession: 'true' });
    expect(read('src/app.module.ts')).toContain('expressSession(');
    expect([...files.keys()]).toEqual(['src/app.module.ts', 'src/main.ts', 'package.json']);
  });

  it('adds the module and the login to the root module, and refuses forms of other sites', () => {
    add({ redis: 'redis://cache:6379' });
    expect(read('src/app.module.ts')).toBe(`import { Module } from '@nestjs/common';
import { RedisSessionModule } from 'nestjs-redis-session';
import { AuthModule } from './auth/auth.module.js';
import { AppController } from './app.controller.js';

@Module({
  imports: [
    RedisSessionModule.forRoot({
      redis: process.env['REDIS_URL'] ?? 'redis://cache:6379',
      hashIds: true,
      security: {
        loginPage: '/login',
        defaultSuccessPath: '/members',
        logout: { successPath: '/login' },
      },
    }),
    AuthModule,
  ],
  controllers: [AppController],
})
export class AppModule {}
`);
    expect(read('src/main.ts')).toContain('app.enableCsrfProtection();\nawait app.listen');
    expect(tasks).toMatchObject([{ options: { command: 'install' } }]);
  });

  it('leaves the modules that are there, with and without a comma behind the last one', () => {
    for (const imports of ['[CartModule]', '[\n    CartModule,\n  ]']) {
      files.set('src/app.module.ts', APP_MODULE.replace('[]', imports));
      add({ login: false });
      const [, list = ''] = /imports: (\[[^]*\]),\n {2}controllers/.exec(
        read('src/app.module.ts'),
      )!;
      expect(list).toMatch(/^\[\s*CartModule,\s*RedisSessionModule\.forRoot\(\{[^]*\}\),?\s*\]$/);
    }
  });

  it('adds no login without the option', () => {
    add({ login: false });
    expect(files.has('src/auth/auth.module.ts')).toBe(false);
    expect(read('src/app.module.ts')).not.toContain('AuthModule');
    expect(read('package.json')).not.toContain('passport-local');
  });

  it('keeps req.session and takes over stored sessions for an application with express-session', () => {
    add({ expressSession: true });
    const code = read('src/app.module.ts');
    expect(code).toContain('expressSession({ passport: true })');
    expect(code).toContain("secrets: [process.env['SESSION_SECRET']]");
    expect(code).toContain("from 'nestjs-redis-session/migration'");
    expect(warnings).toContain(
      'Remove app.use(session(…)) and app.use(passport.session()) from src/main.ts, and set SESSION_SECRET to the secret that they have.',
    );
  });

  it('imports without extensions, and tells Jest to transform the library, in CommonJS', () => {
    makeManifest({ dependencies: { '@nestjs/core': '^11.0.1' }, jest: { rootDir: 'src' } });
    files.set('test/jest-e2e.json', '{ "rootDir": "." }');
    add();
    expect(read('src/app.module.ts')).toContain("from './auth/auth.module';");
    const transformIgnorePatterns = ['node_modules/(?!(nestjs-redis-session|leven)/)'];
    const json = JSON.parse(read('package.json')) as Record<string, object>;
    expect(json['jest']).toEqual({ rootDir: 'src', transformIgnorePatterns });
    expect(json['dependencies']).toMatchObject({ '@nestjs/passport': '^11.0.0' });
    expect(JSON.parse(read('test/jest-e2e.json'))).toMatchObject({ transformIgnorePatterns });
    expect(read('src/main.ts')).toBe(MAIN);
    expect(warnings).toContain(
      'src/main.ts stays as it is. Protect forms against other sites: see docs/csrf.md of the library.',
    );
  });

  it('adds a test on the platform that the application has', () => {
    const nest = { '@nestjs/core': '^12.0.0' };
    makeManifest({
      type: 'module',
      dependencies: { ...nest, '@nestjs/platform-fastify': '^12.0.0' },
    });
    add();
    const test = read('src/auth/auth.spec.ts');
    expect(test).toContain('new FastifyAdapter()');
    expect(test).toContain('getInstance().ready()');
    makeManifest({
      type: 'module',
      dependencies: { ...nest, '@nestjs/platform-express': '^12.0.0' },
    });
    files.set('src/app.module.ts', APP_MODULE);
    add();
    expect(read('src/auth/auth.spec.ts')).not.toContain('Fastify');
  });

  it('keeps the versions that the application has', () => {
    makeManifest({ dependencies: { '@nestjs/core': '^12.0.0', ioredis: '^5.4.0' } });
    add();
    expect(read('package.json')).toContain('"ioredis": "^5.4.0"');
  });

  it('changes nothing when the module is there', () => {
    add();
    const code = read('src/app.module.ts');
    add();
    expect(read('src/app.module.ts')).toBe(code);
    expect(warnings.at(-1)).toBe('Nothing to do: src/app.module.ts has the RedisSessionModule.');
  });

  it('says what to do without an app.module.ts, without a list of imports, and without Nest', () => {
    expect(() => add({ sourceRoot: 'apps/shop/src' })).toThrow(
      'Cannot add sessions: there is no apps/shop/src/app.module.ts. Import RedisSessionModule.forRoot() in your root module yourself.',
    );
    files.set('src/app.module.ts', APP_MODULE.replace('[]', 'modules'));
    expect(() => add()).toThrow('has no @Module({ … }) with a list of imports');
    makeManifest({});
    expect(() => add()).toThrow(
      'Cannot add sessions: package.json has no @nestjs/core. Run the command in the folder of a Nest application.',
    );
  });
});
