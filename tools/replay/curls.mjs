import { execa } from 'execa';
import { readPage } from './pages.mjs';

/**
 * Runs the lines `curl …   # 401` of a page, one after the other.
 *
 * @param {string} page - such as `getting-started.md`
 * @param {string} url - of the application, in place of `localhost:3000`
 * @param {string} folder - where the lines run and leave their files
 * @returns {Promise<{ told: string[], got: string[] }>} each line with the status of the page, and with that of the answer
 */
export async function runCurls(page, url, folder) {
  const told = [];
  const got = [];
  for (const [, command = '', status] of (await readPage(page)).matchAll(
    /^(curl .*?)\s+# (\d{3})/gm,
  )) {
    const here = command
      .replace('curl -i', 'curl -s -o answer -w %{http_code}')
      .replace('localhost:3000', url);
    const { stdout } = await execa(here, { shell: true, cwd: folder });
    told.push(`${command} ${status}`);
    got.push(`${command} ${stdout}`);
  }
  return { told, got };
}
