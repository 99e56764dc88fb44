// Adds the binaries of other platforms to package-lock.json: run it after `npm install`.
// npm leaves them out when its registry does not serve them, and `npm ci` then refuses the file on every platform.
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = 'package-lock.json';
const PLATFORM =
  /(?<os>darwin|linux|win32|android|freebsd|openharmony)-(?<cpu>arm64|arm|x64|ia32|ppc64|s390x|riscv64|loong64)(-(?<abi>\w+))?$/;
const LIBC = { gnu: ['glibc'], musl: ['musl'] };

const lock = JSON.parse(readFileSync(FILE, 'utf8'));
const missing = Object.values(lock.packages).flatMap(missingBinariesOf);
const { '': root, ...packages } = { ...lock.packages, ...Object.fromEntries(missing) };
const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
lock.packages = { '': root, ...Object.fromEntries(sorted) };
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);

function missingBinariesOf({ dev, license, optionalDependencies = {} }) {
  return Object.entries(optionalDependencies)
    .filter(([name]) => !(`node_modules/${name}` in lock.packages) && PLATFORM.test(name))
    .map(([name, version]) => {
      const { os, cpu, abi } = PLATFORM.exec(name).groups;
      const libc = os === 'linux' && LIBC[abi];
      const entry = { version, cpu: [cpu], ...(dev && { dev }), license, ...(libc && { libc }) };
      return [`node_modules/${name}`, { ...entry, optional: true, os: [os] }];
    });
}
