/**
 * Runs compiled blocks of the pages: `node run-blocks.mjs <folder>…`. Each folder holds a `block.js`.
 *
 * A block that starts an application has its `app` listen. What another one exports becomes an application: modules, features,
 * controllers and providers, with the `sessions` of its page if it has none. Each application answers one request.
 * Prints the error of each folder as JSON.
 */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisSessionModule } from 'nestjs-redis-session';

const redis = process.env.REDIS_URL;
const tests = [];
globalThis.it = (_, test) => tests.push(test);
const errors = {};
for (const folder of process.argv.slice(2)) {
  try {
    await run(folder);
  } catch (error) {
    errors[folder] = error instanceof Error ? error.stack : String(error);
  }
}
console.log(JSON.stringify(errors));
process.exit();

async function run(folder) {
  const exported = await import(`${folder}/block.js`);
  for (const test of tests.splice(0)) await test();
  const app = exported.app ?? (await start(Object.values(exported), folder));
  if (!app) return;
  const { status } = await fetch(`${await app.getUrl()}/no-such-page`);
  await app.close();
  if (status !== 404) throw new Error(`GET /no-such-page is answered with ${status}.`);
}

/** Starts an application of what a block exports. Plain classes and functions, such as a store, are only loaded. */
async function start(values, folder) {
  const modules = values.filter(isModule);
  const controllers = values.filter((value) => has(value, 'path'));
  const providers = values.filter(
    (value) =>
      has(value, '__injectable__') ||
      has(value, 'websockets:is_gateway') ||
      has(value, '__filterCatchExceptions__'),
  );
  const features = values.filter(
    (value) => typeof value === 'object' && value?.name && !isModule(value),
  );
  if (modules.length + controllers.length + providers.length + features.length === 0) return;
  if (!modules.some(holdsSessions)) modules.push(await sessionsOf(folder, features));
  class Application {}
  Module({ imports: modules, controllers, providers })(Application);
  const app = await NestFactory.create(Application, { logger: ['error'], abortOnError: false });
  await app.listen(0, '127.0.0.1');
  return app;
}

function isModule(value) {
  return typeof value?.module === 'function' || has(value, 'imports');
}

function holdsSessions(module) {
  const imported = has(module, 'imports') ? Reflect.getMetadata('imports', module) : [module];
  return imported.some((each) => each.module === RedisSessionModule);
}

/** The `sessions` that the page shows, else the module with its defaults. */
async function sessionsOf(folder, features) {
  const { sessions } = await import(`${folder}/page.js`);
  return features.length === 0 && sessions
    ? sessions
    : RedisSessionModule.forRoot({ redis, features });
}

function has(value, key) {
  return typeof value === 'function' && Reflect.hasMetadata(key, value);
}
