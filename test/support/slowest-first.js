import { join, sep } from 'node:path';
import Sequencer from '@jest/test-sequencer';

/** @typedef {Parameters<Sequencer['sort']>[0][number]} TestFile */

const SPRING = join('test', 'spring') + sep;
const isOfSpring = (/** @type {TestFile} */ { path }) => path.includes(SPRING);

/** Starts with the tests that wait for a JVM. Without times of an earlier run, Jest goes by the size of the files, and theirs are small. */
export default class SlowestFirst extends Sequencer {
  sort(/** @type {TestFile[]} */ files) {
    const sorted = [...super.sort(files)];
    return [...sorted.filter(isOfSpring), ...sorted.filter((file) => !isOfSpring(file))];
  }
}
