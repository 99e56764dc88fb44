import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { execa } from 'execa';

const PACKAGES = [
  '@nestjs/core',
  '@nestjs/platform-express',
  '@nestjs/platform-fastify',
  'express',
  'fastify',
  'ioredis',
  'express-session',
  '@fastify/session',
  'connect-redis',
  'redis',
];

/**
 * @param {{ rounds: number, seconds: number, isQuick: boolean }} plan
 * @param {import('ioredis').Redis} redis
 * @returns {Promise<string[]>} what a reader must know to judge the figures, or to measure them again
 */
export async function describeRun({ rounds, seconds, isQuick }, redis) {
  const [, redisVersion] = /redis_version:(\S+)/.exec(await redis.info('server')) ?? [];
  const versions = await Promise.all(
    PACKAGES.map(async (name) => `${name} ${await versionOf(name)}`),
  );
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ').replace(/ --$/, '');
  return [
    `Date: ${new Date().toISOString().slice(0, 10)}. Command: \`${command}\`.`,
    `Machine: ${availableParallelism()} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${release()}; load average at the end ${loadavg()[0]?.toFixed(1)}. Load generator, servers and Redis share it.`,
    `Versions: Node ${process.versions.node}, Redis ${redisVersion}, ${await programVersions()}, ${versions.join(', ')}.`,
    `Figures: median (min – max) of ${rounds} rounds of ${seconds} s${isQuick ? '' : ', each after a second of load that does not count'}, all contestants in turn in each round; ratios are taken within a round. Commands of a scenario are counted before the first round.`,
  ];
}

async function versionOf(name) {
  const require = createRequire(import.meta.url);
  const folder = require.resolve.paths(name)?.map((path) => `${path}/${name}/package.json`) ?? [];
  for (const path of folder) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text) return JSON.parse(text).version;
  }
  return 'unknown';
}

/** Of what is no package of npm: the load generator, the commit, and what Spring is made of. */
async function programVersions() {
  const firstLine = async (file, ...args) => {
    const { all } = await execa(file, args, { all: true, reject: false });
    return all?.split('\n')[0] ?? '';
  };
  const [wrk, commit, java] = await Promise.all([
    firstLine('wrk', '-v'),
    firstLine('git', 'rev-parse', '--short', 'HEAD'),
    firstLine('java', '-version'),
  ]);
  const pom = await readFile(new URL('../peers/spring/pom.xml', import.meta.url), 'utf8');
  const [, springBoot] = /spring-boot-starter-parent<[^]*?<version>([^<]+)/.exec(pom) ?? [];
  const [, wrkVersion] = /^wrk (\S+)/.exec(wrk) ?? [];
  const [, javaVersion] = /version "([^"]+)"/.exec(java) ?? [];
  return `wrk ${wrkVersion}, this library at ${commit}, Spring Boot ${springBoot} on Java ${javaVersion ?? '(none)'}`;
}
