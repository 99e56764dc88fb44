import { startServer } from './server.mjs';
import { whyNoSpring } from './spring.mjs';

/**
 * A contestant and its replicas.
 *
 * @typedef {object} Entrant
 * @property {import('../contestants.mjs').ContestantSpec} spec
 * @property {import('./server.mjs').Server[]} servers
 */

/**
 * Starts all contestants that can run here; says which cannot, and why.
 *
 * @param {readonly import('../contestants.mjs').ContestantSpec[]} specs
 * @param {{ redisUrl: string, replicas: number }} setup
 * @returns {Promise<{ entrants: Entrant[], absent: string[], stop: () => Promise<void> }>}
 */
export async function startField(specs, { redisUrl, replicas }) {
  const entrants = [];
  const stop = async () => {
    await Promise.all(entrants.flatMap(({ servers }) => servers.map((server) => server.stop())));
  };
  const reason = specs.some(({ kind }) => kind === 'spring') ? await whyNoSpring() : undefined;
  const isAbsent = ({ kind }) => kind === 'spring' && reason !== undefined;
  try {
    for (const spec of specs.filter((candidate) => !isAbsent(candidate))) {
      const entrant = { spec, servers: [] };
      entrants.push(entrant);
      for (let i = 0; i < replicas; i += 1) {
        entrant.servers.push(await startServer(spec, redisUrl));
      }
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const absent = specs.filter(isAbsent).map(({ label }) => `${label} is left out: ${reason}.`);
  return { entrants, absent, stop };
}
