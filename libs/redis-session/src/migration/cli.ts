#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { reasonOf } from '../lib/deadline.js';
import { closeRedisClient, createRedisClient, pingRedis } from '../redis/client/redis-client.js';
import { formatReport, surveySessions } from './migration-report.js';

/** What the command is told. */
interface CliArguments {
  readonly redisUrl: string;
  readonly keyPrefix: string;
  /** Sessions to look at, at most. */
  readonly limit: number;
}

/** How to use the command. */
const USAGE = `Usage: nestjs-redis-session migrate --dry-run [options]

Counts the sessions of express-session or @fastify/session with connect-redis that would be moved.
Changes nothing, and shows neither ids nor data. Sessions are moved by the feature migrateFrom() of the module.

  --redis <url>      where they are (default: $REDIS_URL, or redis://localhost:6379)
  --prefix <prefix>  start of their keys (default: sess:)
  --limit <number>   how many to look at, at most (default: 1000000)`;

/** @returns what is wrong with `args`, as text, if anything is; undefined when help was asked for */
function parseArguments(args: string[]): CliArguments | string | undefined {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        'dry-run': { type: 'boolean' },
        help: { type: 'boolean' },
        limit: { type: 'string', default: '1000000' },
        prefix: { type: 'string', default: 'sess:' },
        redis: { type: 'string', default: process.env['REDIS_URL'] ?? 'redis://localhost:6379' },
      },
    });
  } catch (error) {
    return (error as Error).message;
  }
  const { values, positionals } = parsed;
  if (values.help === true) return undefined;
  if (positionals.join(' ') !== 'migrate') return 'the command must be "migrate".';
  if (values['dry-run'] !== true)
    return '--dry-run must be given: sessions are moved by the feature migrateFrom() of the module, each when it is next used.';
  const limit = Number(values.limit);
  if (!Number.isSafeInteger(limit) || limit < 1) return '--limit must be a positive integer.';
  return { redisUrl: values.redis, keyPrefix: values.prefix, limit };
}

const TIMEOUT_MS = 5000;

async function report({ redisUrl, ...survey }: CliArguments): Promise<void> {
  const { client } = createRedisClient(redisUrl, TIMEOUT_MS);
  try {
    await pingRedis(client, TIMEOUT_MS);
    console.log(formatReport(await surveySessions(client, survey)));
  } finally {
    await closeRedisClient(client, TIMEOUT_MS);
  }
}

const parsed = parseArguments(process.argv.slice(2));
if (parsed === undefined) {
  console.log(USAGE);
} else if (typeof parsed === 'string') {
  console.error(`${parsed}\n\n${USAGE}`);
  process.exitCode = 2;
} else {
  await report(parsed).catch((error: unknown) => {
    console.error(reasonOf(error));
    process.exitCode = 1;
  });
}
