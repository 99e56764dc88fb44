import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { buildNginx } from '../../tools/servers/build-nginx.mjs';
import { startNginxWith, TEMPLATE } from '../../tools/servers/nginx.mjs';
import { NameServer } from '../support/faults/name-server.js';
import { send } from '../support/http/http-client.js';
import { eventually } from '../support/waiting/eventually.js';

const BUILD_MS = 300_000;
/** As containers, all pods listen on one port, each at an address of its own. */
const ADDRESSES = ['127.0.0.1', '127.0.0.2', '127.0.0.3'] as const;
const [FIRST, SECOND, THIRD] = ADDRESSES;

const { services } = parse(
  readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8'),
  { merge: true },
) as { services: { nginx: { environment: { PODS: string } } } };

let program: string;
let names: NameServer;
let namePort: number;
let podPort: number;
let pods: Map<string, Server>;
let nginx: Awaited<ReturnType<typeof startNginxWith>> | undefined;
let nginxPort: number;

beforeAll(async () => {
  program = await buildNginx();
}, BUILD_MS);

beforeEach(async () => {
  names = new NameServer();
  namePort = await names.start();
  podPort = 0;
  pods = new Map();
  for (const address of ADDRESSES) {
    const server = createServer((_, response) => response.end(address));
    await once(server.listen(podPort, address), 'listening');
    podPort = (server.address() as AddressInfo).port;
    pods.set(address, server);
  }
});

afterEach(async () => {
  names.stop();
  for (const server of pods.values()) {
    server.close();
    server.closeAllConnections();
  }
  const started = nginx;
  nginx = undefined;
  await started?.stop();
});

/** The upstreams of docker-compose.yml, but for the name server of Docker and the port of the containers. */
async function start(): Promise<void> {
  const { PODS } = services.nginx.environment;
  const upstreams = PODS.replace('127.0.0.11', `127.0.0.1:${namePort} ipv6=off`);
  const variables = { PODS: upstreams.replaceAll(':3000', `:${podPort}`) };
  nginx = await startNginxWith(TEMPLATE, variables, { program });
  nginxPort = nginx.port;
}

/** Who answers ten requests, each by its address or status. */
async function answering(): Promise<string[]> {
  const answers: string[] = [];
  for (let i = 0; i < 10; i++) {
    const { status, text } = await send(nginxPort, 'GET /');
    answers.push(status === 200 ? text : String(status));
  }
  return [...new Set(answers)].sort();
}

const eventuallyAnswer = (...expected: string[]) =>
  eventually(async () => (await answering()).join() === expected.join());

describe('nginx of docker-compose.yml', () => {
  it('starts while no pod has an address, and finds each one that gets it', async () => {
    await start();
    expect(await answering()).toEqual(['502']);
    names.addresses.set('pod-a', FIRST);
    await eventuallyAnswer(FIRST);
    names.addresses.set('pod-b', SECOND);
    await eventuallyAnswer(FIRST, SECOND);
  });

  it('fails no request while one pod has no address', async () => {
    names.addresses.set('pod-a', FIRST).set('pod-b', SECOND);
    await start();
    await eventuallyAnswer(FIRST, SECOND);
    names.addresses.delete('pod-b');
    const seen = new Set<string>();
    await eventually(async () => {
      const answers = await answering();
      for (const answer of answers) seen.add(answer);
      return answers.join() === FIRST;
    });
    expect([...seen].filter((answer) => answer !== FIRST && answer !== SECOND)).toEqual([]);
  });

  it('finds a pod that was recreated at another address', async () => {
    names.addresses.set('pod-a', FIRST).set('pod-b', SECOND);
    await start();
    await eventuallyAnswer(FIRST, SECOND);
    names.addresses.set('pod-b', THIRD);
    await eventuallyAnswer(FIRST, THIRD);
  });

  it('goes on with the addresses that it knows while nobody answers its questions', async () => {
    names.addresses.set('pod-a', FIRST).set('pod-b', SECOND);
    await start();
    await eventuallyAnswer(FIRST, SECOND);
    names.answers = false;
    names.asked.clear();
    await eventually(() => Promise.resolve(names.asked.size === 2));
    expect(await answering()).toEqual([FIRST, SECOND]);
  });
});
