// npm run demo:spring -- [--check] [--boot 4|3] [--repository both|default|indexed] [--platform express|fastify]
// Builds and starts a Spring Boot application, a Nest one, Redis and nginx before them, and stays until Ctrl-C; --check plays
// visitors who alternate between both, prints what they see, and exits 0 or 1. Without --check, `both` is `indexed`.
// Needs a JDK of 17 or later and Maven; installs what is missing. Environment: PORT of nginx (default 8080, with --check any).
import { buildBoth } from './demo-spring/build.mjs';
import { checkOneLogin } from './demo-spring/check.mjs';
import { startSpringStack } from './demo-spring/stack.mjs';
import { readOptions } from './demo/options.mjs';
import { ensurePrograms } from './servers/ensure-programs.mjs';

const DEFAULT_PORT = 8080;

try {
  process.exitCode = await main(
    readOptions({
      check: 'boolean',
      boot: ['4', '3'],
      repository: ['both', 'default', 'indexed'],
      platform: ['express', 'fastify'],
    }),
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** @returns {Promise<number>} the exit code */
async function main({ boot, check, platform, repository }) {
  const interrupted = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, resolve);
  });
  await ensurePrograms(['redis-server', 'nginx', 'javac', 'mvn']);
  const programs = await buildBoth(Number(boot));
  const several = check ? ['default', 'indexed'] : ['indexed'];
  const repositories = repository === 'both' ? several : [repository];
  const port = check ? undefined : Number(process.env.PORT ?? DEFAULT_PORT);
  for (const each of repositories) {
    console.log(`\nSpring Boot ${boot}, ${each} repository, Nest on ${platform}`);
    const options = { boot: Number(boot), platform, port, repository: each };
    const stack = await startSpringStack(programs, options);
    try {
      if (check) await runCheck(stack, interrupted);
      else {
        console.log(
          `Open ${stack.url}/both/home; log in as alice/alice or bob/bob. Ctrl-C ends it.`,
        );
        await interrupted;
      }
    } finally {
      await stack.stop();
    }
  }
  return 0;
}

/** @throws {Error} with what went wrong; the logs of both sides are printed */
async function runCheck(stack, interrupted) {
  const stopped = interrupted.then(() => Promise.reject(new Error('Interrupted.')));
  try {
    await Promise.race([checkOneLogin(stack.url), stopped]);
  } catch (error) {
    for (const side of ['spring', 'nest'])
      console.error(`\nlog of ${side}:\n${stack[side].output()}`);
    throw new Error(`\nFAILED: ${error.message}`, { cause: error });
  }
}
