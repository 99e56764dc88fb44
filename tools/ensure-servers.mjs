// Makes sure that the named programs are on the PATH: node tools/ensure-servers.mjs redis-server nginx
// Silent when they are; otherwise it installs them with apt-get (as root or by sudo) or brew, and says so.
import { ensurePrograms } from './servers/ensure-programs.mjs';

try {
  await ensurePrograms(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
