import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Post } from '@nestjs/common';
import { Redis } from 'ioredis';
import { SessionRegistry } from 'nestjs-redis-session';
import { Barrier } from '../../support/waiting/barrier.js';
import { eventually } from '../../support/waiting/eventually.js';
import { send } from '../../support/http/http-client.js';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { OutageController } from '../../support/faults/outage-controller.js';
import { startTcpProxy, type TcpProxy } from '../../support/faults/tcp-proxy.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';

const REQUESTS = 40;
const BEGUN = 'one more line follows';
const ENDED = 'The session store works again.';

/** What asks for the sessions of a user, and needs no session of its own. */
@Controller('devices')
class DevicesController {
  constructor(private readonly registry: SessionRegistry) {}

  @Get()
  list(): Promise<object> {
    return this.registry.list('kim');
  }

  @Post('end')
  async end(): Promise<object> {
    return { ended: await this.registry.expireAll('kim') };
  }
}

let redis: Awaited<ReturnType<typeof startRedis>>;
let direct: Redis;
let proxy: TcpProxy;
let replica: StartedApp;
let log: LoggedLines;

beforeEach(async () => {
  OutageController.barrier = new Barrier();
  log = new LoggedLines();
  redis = await startRedis();
  direct = new Redis(redis.url);
  proxy = await startTcpProxy({ targetPort: redis.port });
});

afterEach(async () => {
  await redis.kill('SIGCONT');
  await replica.close();
  await proxy.refuse();
  direct.disconnect();
  await redis.stop();
});

interface Fault {
  readonly begin: () => unknown;
  readonly end: () => unknown;
  readonly reason: string;
}

const FAULTS = {
  'is full': {
    begin: () => direct.config('SET', 'maxmemory', '1'),
    end: () => direct.config('SET', 'maxmemory', '0'),
    reason: 'OOM',
  },
  freezes: {
    begin: () => redis.kill('SIGSTOP'),
    end: () => redis.kill('SIGCONT'),
    reason: 'no answer within 1000 ms',
  },
  'is read-only': {
    begin: () => direct.replicaof('127.0.0.1', '1'),
    end: () => direct.replicaof('NO', 'ONE'),
    reason: 'READONLY',
  },
  'is behind a half-open connection': {
    begin: () => proxy.swallow(),
    // It ends by itself: the application leaves the connection.
    end: () => undefined,
    reason: 'no answer within 1000 ms',
  },
} satisfies Record<string, Fault>;

/** Platforms know nothing of the last two: each of them has to be there once. */
const FAULTS_ON = {
  express: ['is full', 'freezes', 'is read-only'],
  fastify: ['is full', 'freezes', 'is behind a half-open connection'],
} as const;

const linesWith = (text: string) => log.lines.filter((line) => line.includes(text));

/** One line tells that `attempt` fails and how that began, and one how often it failed, once it works again. */
async function expectTwoLines(
  attempt: () => Promise<boolean>,
  { begin, end, reason }: Fault,
): Promise<void> {
  expect(await attempt()).toBe(true);
  await begin();
  const answers = await Promise.all(Array.from({ length: REQUESTS }, attempt));
  expect(answers).toEqual(Array(REQUESTS).fill(false));
  expect(linesWith(BEGUN).filter((line) => line.includes(reason))).toHaveLength(1);

  await end();
  const begun = linesWith(BEGUN).length;
  await eventually(async () => (await attempt()) && linesWith(ENDED).length >= begun, 15_000);
  const ended = linesWith(ENDED).filter((line) => line.includes(reason));
  expect(ended).toHaveLength(1);
  expect(Number(/: (\d+) \(/.exec(ended[0] ?? '')?.[1])).toBeGreaterThanOrEqual(REQUESTS);
  expect(linesWith(BEGUN)).toHaveLength(linesWith(ENDED).length);
}

describe.each(PLATFORMS)('the log of an application on %s', (platform) => {
  /** Whether the request is answered as usual; what is neither that nor 503 fails the test. */
  const works = async (line: Parameters<typeof send>[1]) => {
    const { status } = await send(replica.port, line);
    expect([200, 201, 503]).toContain(status);
    return status < 300;
  };

  it.each(FAULTS_ON[platform])(
    'when Redis %s, the log tells once that it begins, and once how many requests failed',
    async (name) => {
      replica = await startApp(platform, {
        controllers: [OutageController],
        log,
        options: { commandTimeoutMs: 1000, redis: `redis://127.0.0.1:${proxy.port}` },
      });
      await expectTwoLines(() => works('POST /json'), FAULTS[name]);
    },
  );

  it.each(['GET /devices', 'POST /devices/end'] as const)(
    'when Redis freezes, the log tells once that the registry fails at %s, and once how often it did',
    async (line) => {
      replica = await startApp(platform, {
        controllers: [DevicesController],
        log,
        options: { commandTimeoutMs: 1000, redis: redis.url, repository: 'indexed' },
      });
      await expectTwoLines(() => works(line), FAULTS.freezes);
    },
  );
});
