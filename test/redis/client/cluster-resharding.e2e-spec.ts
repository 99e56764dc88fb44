import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { Barrier } from '../../support/waiting/barrier.js';
import { eventually } from '../../support/waiting/eventually.js';
import { send } from '../../support/http/http-client.js';
import { OutageController } from '../../support/faults/outage-controller.js';
import { type RedisCluster, startRedisCluster } from '../../support/redis/redis-cluster.js';
import { startApp, type StartedApp } from '../../support/apps/start-app.js';

const CLIENTS = 20;
const SLOTS_PER_MOVE = 1000;
const MOVES = 2;

let cluster: RedisCluster;
let replica: StartedApp;

beforeAll(async () => {
  OutageController.barrier = new Barrier();
  cluster = await startRedisCluster();
});

afterAll(() => cluster.stop());

afterEach(() => replica.close());

/** Moves slots from the first master to the second one and back. */
async function reshard(): Promise<void> {
  const [first, second] = await Promise.all(cluster.addresses.slice(0, 2).map(idOf));
  const address = `127.0.0.1:${cluster.addresses[0]?.port}`;
  for (let move = 0; move < MOVES; move++) {
    const [from = '', to = ''] = move % 2 === 0 ? [first, second] : [second, first];
    await eventually(() => agrees(address));
    await execa('redis-cli', [
      ...['--cluster', 'reshard', address, '--cluster-from', from, '--cluster-to', to],
      ...['--cluster-slots', String(SLOTS_PER_MOVE), '--cluster-yes'],
    ]);
  }
}

/** Whether all nodes know who has which slots. */
async function agrees(address: string): Promise<boolean> {
  const { exitCode } = await execa('redis-cli', ['--cluster', 'check', address], { reject: false });
  return exitCode === 0;
}

async function idOf({ port }: { port: number }): Promise<string> {
  const { stdout } = await execa('redis-cli', ['-p', String(port), 'cluster', 'myid']);
  return stdout;
}

describe.each([
  ['express', 'default'],
  ['fastify', 'indexed'],
] as const)('on %s with the %s repository', (platform, repository) => {
  it('answers every request while slots move to another node, and loses no login', async () => {
    replica = await startApp(platform, {
      controllers: [OutageController],
      options: {
        redis: { nodes: cluster.addresses },
        repository,
        touchIntervalSeconds: 0,
      },
    });
    const { port } = replica;
    const answers = new Map<string, number>();
    const ask = async (line: Parameters<typeof send>[1], cookie?: string) => {
      const answer = await send(port, line, { cookie });
      const outcome = `${line} ${answer.status}`;
      answers.set(outcome, (answers.get(outcome) ?? 0) + 1);
      return answer;
    };
    let isOver = false;
    const visit = async () => {
      while (!isOver) {
        const { cookie } = await ask('POST /login');
        for (let round = 0; round < 5; round++) {
          await ask('GET /me', cookie);
          await ask('POST /json', cookie);
          await ask('POST /awaited-update', cookie);
        }
        await ask('POST /login', cookie).then(({ cookie: next }) => ask('POST /logout', next));
      }
    };
    const visits = Array.from({ length: CLIENTS }, visit);
    await reshard().finally(() => (isOver = true));
    await Promise.all(visits);

    expect([...answers.keys()].sort()).toEqual([
      'GET /me 200',
      'POST /awaited-update 201',
      'POST /json 201',
      'POST /login 201',
      'POST /logout 201',
    ]);
  });
});
