#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { Cluster } from 'ioredis';
import { reasonOf } from '../lib/store-operation.js';
import {
  closeRedisClient,
  createRedisClient,
  pingRedis,
  type RedisClient,
} from '../redis/client/redis-client.js';
import { type BlobProblem, FORMER_ID_PATTERN, parseBlob, movedTo } from './session-blob.js';

/** Where to look, and at how many sessions at most. */
interface MigrationSurvey {
  readonly keyPrefix: string;
  readonly limit: number;
}

/** What the command is told. */
interface CliArguments extends MigrationSurvey {
  readonly redisUrl: string;
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

/** What a migration would find. Counts only: nothing of a session leaves Redis' neighbourhood. */
interface MigrationReport {
  readonly movable: number;
  readonly moved: number;
  /** Why others cannot be moved, and how many each. */
  readonly unmovable: ReadonlyMap<Problem, number>;
  /** Whether the limit was reached before the end. */
  readonly isCutOff: boolean;
}

/** How many keys Redis looks at for one SCAN: large enough to be quick, small enough not to hold others up. */
const PAGE = 500;

type Problem = BlobProblem | 'no string' | 'no usable id';
type Finding = 'movable' | 'moved' | Problem;

/** Looks at the sessions of connect-redis, and changes nothing. */
async function surveySessions(
  client: RedisClient,
  survey: MigrationSurvey,
): Promise<MigrationReport> {
  const counts = new Map<Finding, number>();
  let rest = survey.limit;
  for await (const keys of pagesOf(client, survey.keyPrefix)) {
    const findings = keys.slice(0, rest).map((key) => findingOf(client, key, survey.keyPrefix));
    for (const finding of await Promise.all(findings))
      if (finding) counts.set(finding, (counts.get(finding) ?? 0) + 1);
    rest -= keys.length;
    if (rest < 0) break;
  }
  const { movable = 0, moved = 0, ...problems } = Object.fromEntries(counts);
  const unmovable = new Map(Object.entries(problems)) as MigrationReport['unmovable'];
  return { movable, moved, unmovable, isCutOff: rest < 0 };
}

async function* pagesOf(client: RedisClient, keyPrefix: string): AsyncGenerator<string[]> {
  const pattern = `${keyPrefix.replace(/[\\*?[\]^-]/g, '\\$&')}*`;
  for (const server of client instanceof Cluster ? client.nodes('master') : [client]) {
    let cursor = '0';
    do {
      const [next, keys] = await server.scan(cursor, 'MATCH', pattern, 'COUNT', PAGE);
      yield keys;
      cursor = next;
    } while (cursor !== '0');
  }
}

/** @returns undefined when it has ended meanwhile */
async function findingOf(
  client: RedisClient,
  key: string,
  keyPrefix: string,
): Promise<Finding | undefined> {
  let text: string | null;
  try {
    text = await client.get(key);
  } catch (error) {
    if (error instanceof Error && error.message.includes('WRONGTYPE')) return 'no string';
    throw error;
  }
  if (text === null) return undefined;
  if (movedTo(text) !== undefined) return 'moved';
  if (!FORMER_ID_PATTERN.test(key.slice(keyPrefix.length))) return 'no usable id';
  const blob = parseBlob(text);
  return typeof blob === 'string' ? blob : 'movable';
}

/** As lines for people. */
function formatReport({ movable, moved, unmovable, isCutOff }: MigrationReport): string {
  const problems = [...unmovable].map(([problem, count]) => `${count} (${problem})`);
  return [
    `${movable} sessions would be moved when they are next used.`,
    `${moved} sessions have been moved.`,
    `${problems.join(', ') || '0'} cannot be moved.`,
    ...(isCutOff ? ['There are more: the limit was reached. Raise --limit to see them.'] : []),
  ].join('\n');
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
