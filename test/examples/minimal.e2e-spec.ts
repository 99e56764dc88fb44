import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Visitor } from '../support/http/visitor.js';
import { copyAlone, installedPathsOf, packageOf } from './example-alone.js';
import { buildExample, type Example, startExample } from './start-example.js';

const KIM = { username: 'kim', password: 'kim' };

describe('examples/minimal', () => {
  let example: Example | undefined;
  let folder: string | undefined;
  let url: string;

  beforeAll(async () => {
    folder = await copyAlone('minimal');
    await buildExample('minimal', folder);
    example = await startExample('minimal', { folder });
    ({ url } = example);
  });

  afterAll(async () => {
    try {
      await example?.stop();
    } finally {
      if (folder !== undefined) await rm(folder, { recursive: true });
    }
  });

  it('is what StackBlitz runs: one start command, and only packages of the registry that are not compiled', async () => {
    const { dependencies, devDependencies, scripts, stackblitz } = await packageOf(folder!);
    expect(stackblitz).toEqual({ startCommand: 'npm start' });
    // As the tests of this file do.
    expect(scripts['start']).toBe('npm run build && node dist/main.js');
    const versions = Object.values({ ...dependencies, ...devDependencies });
    expect(versions.filter((version) => !/^[~^]\d/.test(version))).toEqual([]);
    const paths = await installedPathsOf('minimal');
    expect(paths.some((path) => path.endsWith('/ioredis'))).toBe(true);
    const scripted = await Promise.all(
      paths.map(async (path) => ({ path, ...(await packageOf(path)) })),
    );
    const compiled = scripted.filter(
      ({ gypfile, scripts: { install, preinstall, postinstall } }) =>
        gypfile === true ||
        [install, preinstall, postinstall].some((script) => script !== undefined),
    );
    expect(compiled.map(({ path }) => path)).toEqual([]);
  });

  it('sends a visitor to the login and back, and counts visits until the logout', async () => {
    const visitor = new Visitor(url);
    expect((await visitor.open('/')).headers['location']).toBe('/members');
    const refused = await visitor.open('/members');
    expect(refused.headers['location']).toMatch(/^\/login/);
    const login = await visitor.submit('/login', KIM);
    expect(login.headers['location']).toBe('/members');
    expect((await visitor.open('/members')).text).toContain('Hello kim. Visit 1 ');
    expect((await visitor.open('/members')).text).toContain('Hello kim. Visit 2 ');
    expect((await visitor.submit('/logout')).headers['location']).toBe('/login');
    expect((await visitor.open('/members')).status).toBe(302);
  });

  it('tells a browser that the password is wrong', async () => {
    const visitor = new Visitor(url);
    const wrong = await visitor.submit('/login', { ...KIM, password: 'wrong' });
    const page = await visitor.open(wrong.headers['location'] ?? '');
    expect(page.text).toContain('Wrong name or password.');
  });

  it('refuses a login form that another site sends', async () => {
    const visitor = new Visitor(url);
    const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://attacker.example' };
    expect((await visitor.post('/login', KIM, headers)).status).toBe(403);
  });
});
