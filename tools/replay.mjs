/**
 * Does what the documentation says, with nothing but the packed library: `npm run test:replay`.
 *
 * Makes an application with the CLI of Nest 11 (CommonJS) and of Nest 12 (ESM), and takes commands and files from
 * docs/getting-started.md and docs/testing.md: the application, its test, and its Dockerfile, whose steps run in folders. A login
 * on one process must hold on another, on Express and on Fastify. Prints the time of each application. Needs an npm registry.
 */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkLogin } from './consumers/check-login.mjs';
import { makeScaffold, run, SCAFFOLDS, useJestSetting } from './consumers/make-application.mjs';
import { buildImage } from './replay/build-image.mjs';
import { readBlock } from './replay/pages.mjs';
import { startRedisServer } from './servers/redis-server.mjs';

const ROOT = join(import.meta.dirname, '..');
const TARBALL = 'nestjs-redis-session-0.1.0.tgz';
const PAGE = 'getting-started.md';
const REPLACED = ['app.controller.ts', 'app.controller.spec.ts', 'app.service.ts'];

const folder = await mkdtemp(join(tmpdir(), 'replay-'));
const redis = await startRedisServer();
try {
  await run(ROOT, 'npm', ['run', 'build:lib']);
  await run(ROOT, 'npm', ['pack', '-w', 'nestjs-redis-session', '--pack-destination', folder]);
  for (const scaffold of SCAFFOLDS) await replay(scaffold);
} catch (error) {
  process.exitCode = 1;
  console.error(error instanceof Error ? error.message : error);
} finally {
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
}

async function replay(/** @type {import('./consumers/make-application.mjs').Scaffold} */ scaffold) {
  const { name, version } = scaffold;
  const startMs = performance.now();
  const app = await makeScaffold(folder, name, version);
  await cp(join(folder, TARBALL), join(app, TARBALL));
  await installAsThePageSays(app, version);
  await writeFiles(app, scaffold);
  await run(app, 'npx', ['tsc', '--noEmit']);
  await run(app, 'npm', ['test']);
  await checkLogin(app, 'express', redis.url);
  const image = await buildImage(
    await readBlock(PAGE, 'dockerfile', /CMD/),
    app,
    join(folder, `${name}-image`),
  );
  await checkLogin(image.folder, 'built', redis.url);
  await run(app, 'npm', ['install', '--no-audit', `@nestjs/platform-fastify@${version}`]);
  await checkLogin(app, 'fastify', redis.url);
  console.log(`ok - ${name}: ${Math.round((performance.now() - startMs) / 1000)} s`);
}

async function installAsThePageSays(/** @type {string} */ app, /** @type {number} */ version) {
  const commands = await readBlock(PAGE, 'sh', /^npm install .*passport-local/m);
  for (const line of commands.trim().split('\n')) {
    const command = line
      .replace('path/to/', './')
      .replace('@nestjs/passport', `@nestjs/passport@${version}`);
    await run(app, 'sh', ['-c', command]);
  }
}

async function writeFiles(
  /** @type {string} */ app,
  /** @type {import('./consumers/make-application.mjs').Scaffold} */ { isCommonJs },
) {
  for (const file of REPLACED) await rm(join(app, 'src', file));
  const code = await readBlock(PAGE, 'ts', /export class AppModule/);
  await writeFile(join(app, 'src', 'app.module.ts'), code);
  const test = await readBlock('testing.md', 'ts', /Hello lee/);
  const imported = isCommonJs ? test.replace("app.module.js'", "app.module'") : test;
  await writeFile(join(app, 'src', 'members.spec.ts'), imported);
  if (isCommonJs) await useJestSetting(app);
}
