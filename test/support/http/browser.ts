import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const MAC = '/Applications/Chromium.app/Contents/MacOS/Chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * Starts the Chromium of this machine, without a window.
 *
 * @throws when there is none: `node tools/ensure-servers.mjs chromium` installs it
 */
export function startBrowser(): Promise<Browser> {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const candidates = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const executablePath = [...candidates, MAC].find((path) => existsSync(path));
  if (!executablePath) {
    throw new Error(
      'Cannot start a browser: there is no chromium. Run `node tools/ensure-servers.mjs chromium`.',
    );
  }
  return chromium.launch({ executablePath, args: FLAGS });
}
