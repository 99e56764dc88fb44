/** Most commands that one request of ours may send. */
const COMMANDS = {
  'no cookie': 0,
  read: 1,
  'change 1 kB': 2,
  'change 10 kB': 2,
  'change 100 kB': 2,
  login: 3,
  logout: 2,
};
/** The same with the indexed repository, which keeps the index of users too. */
const INDEXED_COMMANDS = { ...COMMANDS, login: 4, logout: 3 };
/** Most bytes that changing one of 50 attributes, 100 kB together, may send to Redis. */
const CHANGE_BYTES = 3000;

/**
 * Checks what cannot differ from run to run.
 *
 * @param {Record<string, Record<string, import('../measure/counts.mjs').Counts>>} counts - by contestant and operation
 * @returns {string[]} what is wrong, a sentence each
 */
export function violatedCountRules(counts) {
  const wrong = [];
  for (const [contestant, operations] of Object.entries(counts)) {
    if (!contestant.includes('-ours')) continue;
    const isIndexed = contestant.includes('-indexed');
    for (const [operation, most] of Object.entries(isIndexed ? INDEXED_COMMANDS : COMMANDS)) {
      const { commands } = operations[operation];
      if (commands > most)
        wrong.push(
          `${contestant}: ${operation} must send at most ${most} commands, sends ${commands}.`,
        );
    }
    const { bytesIn } = operations['change 100 kB'];
    if (bytesIn > CHANGE_BYTES)
      wrong.push(
        `${contestant}: change 100 kB must send at most ${CHANGE_BYTES} bytes, sends ${bytesIn}.`,
      );
  }
  return wrong;
}
