/** Copies README.md and LICENSE into the package. Links to files of the repository become addresses once the package names it. */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'libs', 'redis-session');
const { homepage, version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
const readme = await readFile(join(root, 'README.md'), 'utf8');
const repository = homepage?.replace('#readme', '');
await writeFile(join(folder, 'README.md'), repository ? withAddresses(readme) : readme);
await copyFile(join(root, 'LICENSE'), join(folder, 'LICENSE'));

/** StackBlitz opens folders of GitHub. Its link in the repository leads to how to do that. */
function withAddresses(/** @type {string} */ text) {
  const onStackBlitz = repository.replace('//github.com/', '//stackblitz.com/github/');
  return text
    .replace(
      '](examples/minimal/README.md#in-the-browser)',
      `](${onStackBlitz}/tree/v${version}/examples/minimal)`,
    )
    .replaceAll(/\]\((?!https?:|#)/g, `](${repository}/blob/v${version}/`);
}
