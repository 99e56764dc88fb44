/** Copies README.md and LICENSE into the package. Links to files of the repository become addresses once the package names it. */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'libs', 'redis-session');
const { homepage, version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
const readme = await readFile(join(root, 'README.md'), 'utf8');
const files = homepage && `${homepage.replace('#readme', '')}/blob/v${version}/`;
await writeFile(
  join(folder, 'README.md'),
  files ? readme.replaceAll(/\]\((?!https?:|#)/g, `](${files}`) : readme,
);
await copyFile(join(root, 'LICENSE'), join(folder, 'LICENSE'));
