/**
 * Writes where the package comes from into its package.json, before it is published: `node tools/name-repository.mjs`.
 *
 * The workflow names its repository in GITHUB_SERVER_URL and GITHUB_REPOSITORY. npm accepts the provenance of a package only if
 * `repository.url` is that repository.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env;
if (!server || !repository)
  throw new Error(
    'Cannot name the repository: GITHUB_SERVER_URL and GITHUB_REPOSITORY are not set. Run this in the publish workflow.',
  );

const url = `${server}/${repository}`;
const file = join(import.meta.dirname, '..', 'libs', 'redis-session', 'package.json');
const { name, version, description, license, ...rest } = JSON.parse(await readFile(file, 'utf8'));
const manifest = {
  ...{ name, version, description, license },
  repository: { type: 'git', url: `git+${url}.git`, directory: 'libs/redis-session' },
  homepage: `${url}#readme`,
  bugs: `${url}/issues`,
  ...rest,
};
await writeFile(file, `${JSON.stringify(manifest, undefined, 2)}\n`);
