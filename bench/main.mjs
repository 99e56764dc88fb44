// npm run bench [-- --quick] [-- --table] [-- --assert] [-- --rounds 3] [-- --seconds 1] [-- --only read,no-cookie] [-- --without spring]
// Measures all contestants in one run and writes bench/results. --quick takes fewer of everything, about a minute and a half,
// and writes bench/results/quick. --table takes what the table of goals in bench/README.md compares, and writes
// bench/results/node-<version>; a run of a part writes bench/results/partial. --assert checks commands and bytes alone,
// never times, and exits 1 when one is wrong.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CONTESTANTS, isInTable } from './contestants.mjs';
import { SCENARIOS } from './scenarios.mjs';
import { prepare } from './prepare.mjs';

try {
  process.exitCode = await main(readOptions());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function main({ isAssert, isQuick, isTable, only, rounds, seconds, without }) {
  await prepare({ withLoad: !isAssert });
  const { runBench } = await import('./run.mjs');
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  const isWanted = (each) => isAssert || !isQuick || each.isQuick;
  const isCompared = (each) => isWanted(each) && (!isTable || isInTable(each));
  const isMeasured = (each) => isWanted(each) && (!isTable || each.isInTable);
  const part = isQuick ? 'quick/' : only || without ? 'partial/' : '';
  try {
    return await runBench({
      contestants: CONTESTANTS.filter((each) => isCompared(each) && !without?.includes(each.kind)),
      scenarios: SCENARIOS.filter((each) => (only ? only.includes(each.id) : isMeasured(each))),
      resultsFolder: part || (isTable ? `node-${process.versions.node.split('.')[0]}/` : ''),
      ...{ isAssert, isQuick, rounds, seconds, folder },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws {Error} saying which option is wrong and what it may be */
function readOptions() {
  const { values } = parseArgs({
    options: {
      assert: { type: 'boolean', default: false },
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string', default: '1' },
      table: { type: 'boolean', default: false },
      without: { type: 'string' },
    },
  });
  return {
    isAssert: values.assert,
    isQuick: values.quick,
    isTable: values.table,
    only: namesOf('only', values.only, idsOf(SCENARIOS, 'id')),
    rounds: positive('rounds', values.rounds ?? (values.quick ? 2 : 3)),
    seconds: positive('seconds', values.seconds),
    without: namesOf('without', values.without, idsOf(CONTESTANTS, 'kind')),
  };
}

function idsOf(list, property) {
  return [...new Set(list.map((each) => each[property]))];
}

function namesOf(option, value, known) {
  const names = value?.split(',');
  const unknown = names?.find((name) => !known.includes(name));
  if (unknown === undefined) return names;
  throw new Error(`Cannot use --${option} ${unknown}: there is none. Use ${known.join(', ')}.`);
}

function positive(option, value) {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`Cannot use --${option} ${value}: it must be a positive integer.`);
}
