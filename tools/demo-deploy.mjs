// npm run demo:deploy [-- --check] [--platform express|fastify]
// Deploys the demo again and again under 100 requests per second of logged-in users: blue/green, then one replica after the
// other. Stays until Ctrl-C; --check deploys once each way, prints what the users saw, and exits 0 or 1.
import { setTimeout as delay } from 'node:timers/promises';
import { buildIfStale } from './demo/build.mjs';
import { readOptions } from './demo/options.mjs';
import { Fleet } from './demo/fleet.mjs';
import { Shoppers } from './demo/shoppers.mjs';
import { ensurePrograms } from './servers/ensure-programs.mjs';

const USERS = 40;
const STEADY_MS = 2_000;

try {
  process.exitCode = await main(
    readOptions({ check: 'boolean', platform: ['express', 'fastify'] }),
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** @returns {Promise<number>} the exit code */
async function main({ check, platform }) {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => interrupted.abort());
  await ensurePrograms(['redis-server', 'nginx']);
  await buildIfStale();
  const fleet = new Fleet(platform);
  try {
    await fleet.start(['blue-a', 'blue-b'], { port: check ? undefined : 8080 });
    const shoppers = new Shoppers(fleet.url, USERS);
    await shoppers.logIn();
    console.log(
      `nginx ${fleet.url}, ${platform}, ${USERS} logged-in users, 100 requests a second\n`,
    );
    const load = shoppers.run();
    do {
      await deploy(fleet, shoppers);
    } while (!check && !interrupted.signal.aborted);
    shoppers.stop();
    await load;
    return report(shoppers);
  } finally {
    await fleet.stop();
  }
}

async function deploy(/** @type {Fleet} */ fleet, /** @type {Shoppers} */ shoppers) {
  const [oldColour, newColour] = fleet.names[0]?.startsWith('blue')
    ? ['blue', 'green']
    : ['green', 'blue'];
  const steps = {
    'nothing happens': () => delay(STEADY_MS),
    [`${oldColour} to ${newColour}`]: () => fleet.replaceAll([`${newColour}-a`, `${newColour}-b`]),
    'one after the other': () => fleet.replaceEach(),
    'nothing happens again': () => delay(STEADY_MS),
  };
  for (const [name, step] of Object.entries(steps)) {
    shoppers.begin();
    await step();
    console.log(`${name.padEnd(22)} ${shoppers.describe()}`);
  }
}

/** @returns {number} the exit code */
function report(/** @type {Shoppers} */ shoppers) {
  const { requests, posts, failures, sentAgain } = shoppers.total;
  const again =
    sentAgain > 0 ? `, ${sentAgain} sent again because nginx had closed an idle connection` : '';
  console.log(`\n${requests} requests, ${posts} of them POST${again}`);
  if (failures.length === 0) {
    console.log('0 failed requests, 0 lost logins, 0 lost changes of a cart.');
    return 0;
  }
  console.error(
    `FAILED: ${failures.length} requests, the first of them:\n${failures.slice(0, 10).join('\n')}`,
  );
  return 1;
}
