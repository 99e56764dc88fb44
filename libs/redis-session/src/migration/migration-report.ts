import { Cluster } from 'ioredis';
import { type RedisClient } from '../redis/client/redis-client.js';
import { type BlobProblem, FORMER_ID_PATTERN, parseBlob, movedTo } from './session-blob.js';

/** What a migration would find. Counts only: nothing of a session leaves Redis' neighbourhood. */
export interface MigrationReport {
  readonly movable: number;
  readonly moved: number;
  /** Why others cannot be moved, and how many each. */
  readonly unmovable: ReadonlyMap<Problem, number>;
  /** Whether the limit was reached before the end. */
  readonly isCutOff: boolean;
}

/** Where to look, and at how many sessions at most. */
export interface MigrationSurvey {
  readonly keyPrefix: string;
  readonly limit: number;
}

/** How many keys Redis looks at for one SCAN: large enough to be quick, small enough not to hold others up. */
const PAGE = 500;

type Problem = BlobProblem | 'no string' | 'no usable id';
type Finding = 'movable' | 'moved' | Problem;

/** Looks at the sessions of connect-redis, and changes nothing. */
export async function surveySessions(
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
export function formatReport({ movable, moved, unmovable, isCutOff }: MigrationReport): string {
  const problems = [...unmovable].map(([problem, count]) => `${count} (${problem})`);
  return [
    `${movable} sessions would be moved when they are next used.`,
    `${moved} sessions have been moved.`,
    `${problems.join(', ') || '0'} cannot be moved.`,
    ...(isCutOff ? ['There are more: the limit was reached. Raise --limit to see them.'] : []),
  ].join('\n');
}
