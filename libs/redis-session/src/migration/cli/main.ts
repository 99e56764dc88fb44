#!/usr/bin/env node
import { formatReport, surveySessions } from '../migration-report.js';
import { closeRedisClient, createRedisClient, pingRedis } from '../../redis/client/redis-client.js';
import { type CliArguments, parseArguments, USAGE } from './arguments.js';

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
    console.error(error instanceof Error ? error.message : 'unknown reason');
    process.exitCode = 1;
  });
}
