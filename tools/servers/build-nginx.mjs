import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { ensurePrograms } from './ensure-programs.mjs';

/** A crate with the sources of nginx 1.28.3, and its own version. */
const CRATE = 'nginx-src';
const VERSION = '1.28.5';
const CACHE = fileURLToPath(
  new URL(`../../node_modules/.cache/nginx-${VERSION}/`, import.meta.url),
);
const PROGRAM = join(CACHE, 'nginx');

/** Without what needs libraries that may be missing, and `deploy/nginx.conf` does not use. */
const LEFT_OUT = ['--without-http_rewrite_module', '--without-http_gzip_module'];

/**
 * Builds an nginx, unless that was done before: 20 seconds. That of Debian 12 is 1.22. Only from 1.27.3 on, nginx asks
 * for the addresses of its upstreams again and again, as the image of `docker-compose.yml` does.
 *
 * @returns {Promise<string>} the path of the program
 */
export async function buildNginx() {
  if (existsSync(PROGRAM)) return PROGRAM;
  await ensurePrograms(['cargo', 'make', 'cc']);
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, 'source-'));
  try {
    await mkdir(join(folder, 'src'));
    await writeFile(join(folder, 'src/lib.rs'), '');
    await writeFile(
      join(folder, 'Cargo.toml'),
      `[package]\nname = "source"\nversion = "0.0.0"\n\n[dependencies]\n${CRATE} = "=${VERSION}"\n`,
    );
    await execa('cargo', ['vendor', '--quiet', 'vendor'], { cwd: folder });
    const cwd = join(folder, 'vendor', CRATE, 'nginx');
    await execa('sh', ['auto/configure', ...LEFT_OUT], { cwd });
    await execa('make', ['-j2'], { cwd });
    await copyFile(join(cwd, 'objs/nginx'), join(folder, 'built'));
    await rename(join(folder, 'built'), PROGRAM);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return PROGRAM;
}
