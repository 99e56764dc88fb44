import { readFile } from 'node:fs/promises';
import { compileFunction } from 'node:vm';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type RequestCache } from 'nestjs-redis-session/http';
import * as http from 'nestjs-redis-session/http';
import * as crypto from 'node:crypto';
import { transform } from '@swc/core';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { useTestRedis } from '../../support/redis/test-redis.js';
import { Visitor } from '../../support/http/visitor.js';

/** The code block of docs/security.md as it is printed there. */
async function signedContinueOfDocs(): Promise<RequestCache> {
  const page = await readFile(new URL('../../../docs/security.md', import.meta.url), 'utf8');
  const [code = ''] = page
    .split(/^```(?:ts)?$/m)
    .filter((part) => part.includes('const signedContinue'));
  const module = { type: 'commonjs' } as const;
  const { code: script } = await transform(code, {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module,
  });
  const exported: { signedContinue?: RequestCache } = {};
  const modules: Record<string, object> = {
    'node:crypto': crypto,
    'nestjs-redis-session/http': http,
  };
  const run = compileFunction(script, ['exports', 'require']) as (...args: unknown[]) => void;
  run(exported, (name: string) => modules[name]);
  if (!exported.signedContinue) throw new Error('docs/security.md has no such block.');
  return exported.signedContinue;
}

const redis = useTestRedis();

describe.each(PLATFORMS)('a request cache in the address of the login page on %s', (platform) => {
  let app: StartedApp;

  const start = async () => {
    const requestCache = await signedContinueOfDocs();
    app = await startApp(platform, {
      ...LOGIN_PARTS,
      options: {
        redis: process.env['TEST_REDIS_URL'],
        namespace: redis.namespace,
        security: { loginPage: '/login', requestCache },
      },
    });
    return new Visitor(app.url);
  };
  afterEach(async () => {
    await app.close();
    const keys = await redis.allKeys();
    if (keys.length > 0) await redis.client.del(...keys);
  });

  it('leads back to the page and stores nothing before the login', async () => {
    const visitor = await start();
    const { headers } = await visitor.open('/members?tab=2');
    expect(await redis.allKeys()).toEqual([]);
    const login = await visitor.submit(headers['location'] as string, KIM);
    expect(login.headers['location']).toBe('/members?tab=2');
  });

  it('leads nowhere else, whoever makes up an address', async () => {
    const visitor = await start();
    for (const forged of ['//evil.example', 'x.//evil.example', '.https://evil.example']) {
      const login = await visitor.submit(`/login?continue=${encodeURIComponent(forged)}`, KIM);
      expect(login.headers['location']).toBe('/');
    }
  });
});
