/**
 * Fails unless a release has the tag of its version: `node tools/check-tag.mjs`, before the package is published.
 *
 * The workflow names the tag in GITHUB_REF_NAME. The tag v0.1.0 publishes version 0.1.0, and the README of the package links to it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const { GITHUB_REF_NAME: tag } = process.env;
const file = join(import.meta.dirname, '..', 'libs', 'redis-session', 'package.json');
const { version } = JSON.parse(await readFile(file, 'utf8'));
if (tag !== `v${version}`) {
  process.exitCode = 1;
  console.error(
    `Cannot publish: the tag of the release is ${tag || 'not known'}, and libs/redis-session/package.json has version ${version}. ` +
      `Tag the release v${version}, or change the version.`,
  );
}
