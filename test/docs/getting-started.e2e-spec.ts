import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { transform } from '@swc/core';
import { execa, type ResultPromise } from 'execa';
import { startRedis } from '../support/redis/redis-server.js';
import { Visitor } from '../support/http/visitor.js';
import { runCurls } from '../../tools/replay/curls.mjs';
import { type RedisServer } from '../../tools/servers/redis-server.mjs';

const ROOT = new URL('../../', import.meta.url);
/** Inside the repository, so that imports find its packages. */
const CACHE = fileURLToPath(new URL('node_modules/.cache/', ROOT));

const MAIN = `import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.mjs';
const app = await NestFactory.create(AppModule, { logger: ['error'] });
app.enableCsrfProtection();
await app.listen(0, '127.0.0.1');
process.send({ url: await app.getUrl() });
process.on('disconnect', () => process.exit());
`;

async function readPage(path: string): Promise<string> {
  return readFile(new URL(path, ROOT), 'utf8');
}

/** The block of a page that is a whole file of this name. */
async function appModuleOf(path: string): Promise<string> {
  const [, code = ''] =
    /```ts\n([^]*?export class AppModule \{\}\n)```/.exec(await readPage(path)) ?? [];
  return code;
}

async function compile(code: string): Promise<string> {
  const { code: compiled } = await transform(code, {
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
    },
    module: { type: 'es6' },
  });
  return compiled;
}

describe('the application of docs/getting-started.md', () => {
  let redis: RedisServer;
  let folder: string;
  let app: ResultPromise<{ ipc: true }>;
  let url: string;

  beforeAll(async () => {
    redis = await startRedis();
    await mkdir(CACHE, { recursive: true });
    folder = await mkdtemp(`${CACHE}getting-started-`);
    await writeFile(
      `${folder}/app.module.mjs`,
      await compile(await appModuleOf('docs/getting-started.md')),
    );
    await writeFile(`${folder}/main.mjs`, MAIN);
    app = execa('node', [`${folder}/main.mjs`], { ipc: true, env: { REDIS_URL: redis.url } });
    app.catch(() => undefined);
    ({ url } = (await app.getOneMessage()) as unknown as { url: string });
  });

  afterAll(async () => {
    app.kill();
    await rm(folder, { recursive: true });
    await redis.stop();
  });

  it('is the application of the README', async () => {
    const code = await appModuleOf('docs/getting-started.md');
    expect(code).toContain('LoginGuard');
    expect(await appModuleOf('README.md')).toBe(code);
  });

  it('answers each curl with the status that the page tells', async () => {
    const { told, got } = await runCurls('getting-started.md', url, folder);
    expect(told.length).toBeGreaterThan(4);
    expect(got).toEqual(told);
  });

  it('leads a browser from the page to the login and back, and out again', async () => {
    const visitor = new Visitor(url);
    const refused = await visitor.open('/members?tab=2');
    const loginPage = refused.headers['location'] ?? '';
    const wrong = await visitor.submit(loginPage, { username: 'kim', password: 'wrong' });
    const page = await visitor.open(wrong.headers['location'] ?? '');
    expect(page.text).toContain('Wrong name or password.');
    const login = await visitor.submit(wrong.headers['location'] ?? '', {
      username: 'kim',
      password: 'kim',
    });
    expect(login.headers['location']).toBe('/members?tab=2');
    expect((await visitor.open('/members?tab=2')).text).toContain('Hello kim');
    expect((await visitor.submit('/logout')).headers['location']).toBe('/login');
    expect((await visitor.open('/members')).status).toBe(302);
  });

  it('leads a browser that logs in directly to a page that exists', async () => {
    const visitor = new Visitor(url);
    const login = await visitor.submit('/login', { username: 'kim', password: 'kim' });
    expect((await visitor.open(login.headers['location'] ?? '')).status).toBe(200);
  });
});
