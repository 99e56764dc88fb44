import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { parse } from 'yaml';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LIB = 'libs/redis-session';
const COPIED = ['README.md', 'LICENSE', 'tools', `${LIB}/package.json`, `${LIB}/dist`];
/** GitHub sets these for each step of a workflow. */
const ENV = { GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'octo/sessions' };

interface Workflow {
  jobs: { npm: { permissions: object; steps: { run?: string }[] } };
}

describe('the workflow that publishes', () => {
  let workflow: Workflow;
  let copy: string;
  let unpacked: string;
  let version: string;

  beforeAll(async () => {
    workflow = parse(await readFile(`${ROOT}.github/workflows/publish.yml`, 'utf8')) as Workflow;
    copy = await mkdtemp(join(tmpdir(), 'publish-'));
    for (const path of COPIED) await cp(join(ROOT, path), join(copy, path), { recursive: true });
    const manifest = await readFile(join(copy, LIB, 'package.json'), 'utf8');
    ({ version } = JSON.parse(manifest) as { version: string });
    const commands = workflow.jobs.npm.steps.map(({ run = '' }) => run);
    const [own = '', publish = ''] = commands.slice(commands.indexOf('npm run build:lib') + 1);
    expect(publish).toMatch(/^npm publish -w nestjs-redis-session /);
    await execa(own, { shell: true, cwd: copy, env: ENV });
    await execa('npm', ['pack', '--pack-destination', copy], { cwd: join(copy, LIB) });
    await execa('tar', ['-xzf', `nestjs-redis-session-${version}.tgz`], { cwd: copy });
    unpacked = join(copy, 'package');
  });

  afterAll(() => rm(copy, { recursive: true, force: true }));

  it('packs the repository, which provenance demands, the homepage and the bugs', async () => {
    const manifest: unknown = JSON.parse(await readFile(join(unpacked, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({
      name: 'nestjs-redis-session',
      repository: {
        type: 'git',
        url: 'git+https://github.com/octo/sessions.git',
        directory: LIB,
      },
      homepage: 'https://github.com/octo/sessions#readme',
      bugs: 'https://github.com/octo/sessions/issues',
    });
    expect(workflow.jobs.npm.permissions).toEqual({ contents: 'read', 'id-token': 'write' });
  });

  it('packs a README whose links lead into the repository of that version', async () => {
    const readme = await readFile(join(unpacked, 'README.md'), 'utf8');
    const targets = [...readme.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    expect(targets).toContain(
      `https://github.com/octo/sessions/blob/v${version}/docs/getting-started.md#install`,
    );
    expect(targets).toContain(
      `https://stackblitz.com/github/octo/sessions/tree/v${version}/examples/minimal`,
    );
    expect(targets.filter((target) => !/^(?:https:|#)/.test(target))).toEqual([]);
  });

  it.each([
    ['its version', (version: string) => `v${version}`, 0, ''],
    [
      'another version',
      () => 'v9.9.9',
      1,
      'Cannot publish: the tag of the release is v9.9.9, and libs/redis-session/package.json has version VERSION. Tag the release vVERSION, or change the version.',
    ],
    [
      'its version without the v',
      (version: string) => version,
      1,
      'Cannot publish: the tag of the release is VERSION, and libs/redis-session/package.json has version VERSION. Tag the release vVERSION, or change the version.',
    ],
    [
      'no tag',
      () => '',
      1,
      'Cannot publish: the tag of the release is not known, and libs/redis-session/package.json has version VERSION. Tag the release vVERSION, or change the version.',
    ],
  ])('checks the tag before anything else: %s', async (_tag, tagOf, exitCode, sentence) => {
    const [check = ''] = workflow.jobs.npm.steps.flatMap(({ run = [] }) => run);
    const env = { GITHUB_REF_NAME: tagOf(version) };
    const told = await execa(check, { shell: true, cwd: copy, env, reject: false });
    expect(told.stderr).toBe(sentence.replaceAll('VERSION', version));
    expect(told.exitCode).toBe(exitCode);
  });

  it('fails outside of a workflow, which knows no repository', async () => {
    const env = { GITHUB_SERVER_URL: '', GITHUB_REPOSITORY: '' };
    const told = await execa('node', ['tools/name-repository.mjs'], {
      cwd: copy,
      env,
      reject: false,
    });
    expect(told.exitCode).toBe(1);
    expect(told.stderr).toContain('Cannot name the repository:');
  });
});
