/** Most commands that one request of ours may send, and most bytes to Redis. A change is one of 50 attributes. */
const LIMITS = {
  'no cookie': { commands: 0, bytesIn: 0 },
  read: { commands: 1, bytesIn: 300 },
  'change 1 kB': { commands: 2, bytesIn: 1000 },
  'change 10 kB': { commands: 2, bytesIn: 1200 },
  'change 100 kB': { commands: 2, bytesIn: 3000 },
  login: { commands: 3, bytesIn: 1600 },
  logout: { commands: 2, bytesIn: 500 },
};
/** By what the ids of contestants of ours end with; the first that fits counts. */
const VARIANTS = [
  {
    name: 'near cache',
    ending: '-nearcache',
    limits: { ...LIMITS, read: { commands: 0, bytesIn: 0 } },
  },
  // The index of users is kept too, in another slot of a cluster: one more command for a logout.
  {
    name: 'indexed',
    ending: '-indexed',
    limits: { ...LIMITS, logout: { commands: 3, bytesIn: 650 } },
  },
  { name: 'default', ending: '', limits: LIMITS },
];

/**
 * A limit, and the most that was counted on any platform.
 *
 * @typedef {object} CountOutcome
 * @property {string} label
 * @property {number} limit
 * @property {number} value
 * @property {boolean} isMet
 */

/**
 * Judges what cannot differ from run to run.
 *
 * @param {Record<string, Record<string, import('../measure/counts.mjs').Counts>>} counts - by contestant and operation
 * @returns {CountOutcome[]}
 */
export function judgeCounts(counts) {
  const ours = Object.keys(counts).filter((contestant) => contestant.includes('-ours'));
  return VARIANTS.flatMap((variant) => {
    const members = ours.filter((contestant) => variantOf(contestant) === variant);
    return members.length === 0
      ? []
      : judgeVariant(
          variant,
          members.map((id) => counts[id]),
        );
  });
}

/** @returns {string[]} what is wrong, a sentence each */
export function violatedCountRules(counts) {
  return judgeCounts(counts)
    .filter(({ isMet }) => !isMet)
    .map(({ label, limit, value }) => `${label} must be at most ${limit}, is ${value}.`);
}

function judgeVariant({ name, limits }, counts) {
  return Object.entries(limits).flatMap(([operation, most]) =>
    Object.entries(most).map(([figure, limit]) => {
      const value = Math.max(...counts.map((operations) => operations[operation][figure]));
      const unit = figure === 'commands' ? 'commands' : 'bytes to Redis';
      return { label: `${name}, ${operation}: ${unit}`, limit, value, isMet: value <= limit };
    }),
  );
}

function variantOf(contestant) {
  return VARIANTS.find(({ ending }) => contestant.endsWith(ending));
}
