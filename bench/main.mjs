// npm run bench [-- --quick] [-- --assert] [-- --rounds 5] [-- --seconds 1] [-- --only read,no-cookie] [-- --without spring]
// Measures all contestants in one run and writes bench/results. --quick takes fewer of everything, under two minutes, and
// writes bench/results/quick; --assert checks commands and bytes alone, never times, and exits 1 when one is wrong.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CONTESTANTS } from './contestants.mjs';
import { SCENARIOS } from './scenarios.mjs';
import { prepare } from './prepare.mjs';

const { values } = parseArgs({
  options: {
    assert: { type: 'boolean', default: false },
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string', default: '1' },
    without: { type: 'string' },
  },
});

const only = namesOf('only', idsOf(SCENARIOS, 'id'));
const without = namesOf('without', idsOf(CONTESTANTS, 'kind'));
await prepare({ withLoad: !values.assert });
const { runBench } = await import('./run.mjs');
const folder = await mkdtemp(join(tmpdir(), 'bench-'));
try {
  process.exitCode = await runBench({
    contestants: CONTESTANTS.filter(
      ({ isQuick, kind }) => (isQuick || !values.quick) && !without?.includes(kind),
    ),
    scenarios: SCENARIOS.filter(({ id, isQuick }) =>
      only ? only.includes(id) : isQuick || !values.quick,
    ),
    isAssert: values.assert,
    isQuick: values.quick,
    rounds: Number(values.rounds ?? (values.quick ? 2 : 5)),
    seconds: Number(values.seconds),
    folder,
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

function idsOf(list, property) {
  return [...new Set(list.map((each) => each[property]))];
}

/** @returns the names that an option lists, undefined when it is not given; refuses one that is not among `known` */
function namesOf(option, known) {
  const names = values[option]?.split(',');
  const unknown = names?.find((name) => !known.includes(name));
  if (unknown === undefined) return names;
  console.error(`Cannot use --${option} ${unknown}: there is none. Use ${known.join(', ')}.`);
  process.exit(2);
}
