import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { ANSWERING_CONTROLLERS, WAYS_TO_ANSWER } from '../apps/answering-controllers.js';
import { PLATFORMS, startApp, type StartedApp } from '../apps/start-app.js';
import { send } from '../http/http-client.js';
import { openRawClient } from '../http/raw-client.js';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';

const ONE_WAY_DELAY_MS = 50;
const KNOWN_VISITORS = 5;

/** The store of the commits. */
export interface CommitPlace {
  readonly name: string;
  /** Of the server, on 127.0.0.1. */
  readonly port: () => number;
  /** @returns the sessions in the server that is reached through `port` of 127.0.0.1 */
  readonly storeAt: (port: number) => RedisSessionModuleOptions['store'];
  /** @returns the JSON of the attribute `value`, read without the library */
  readonly storedText: (sessionId: string) => Promise<string | undefined>;
}

/** Whoever gets the first byte of an answer finds the change of the session in a store that is far away. */
export function describeCommits(place: CommitPlace): void {
  describe.each(PLATFORMS)(`sessions in ${place.name} on %s`, (platform) => {
    let proxy: TcpProxy;
    let slow: StartedApp;

    beforeAll(async () => {
      proxy = await startTcpProxy({ targetPort: place.port() });
      slow = await startApp(platform, {
        options: { store: place.storeAt(proxy.port), commandTimeoutMs: 20_000 },
        controllers: [ANSWERING_CONTROLLERS[platform]],
      });
      proxy.delayMs = ONE_WAY_DELAY_MS;
    });

    afterAll(async () => {
      await slow.close();
      await proxy.refuse();
    });

    it.each(WAYS_TO_ANSWER[platform])('are committed at the first byte of $title', async (way) => {
      const logins = Array.from({ length: KNOWN_VISITORS }, () => send(slow.port, 'POST /value'));
      const known = (await Promise.all(logins)).map(({ cookie }) => cookie);
      const visits = [...known, ...known.map(() => undefined)].map(async (cookie) => {
        const value = randomUUID();
        const sent = cookie === undefined ? '' : `Cookie: ${cookie}\r\n`;
        const client = await openRawClient(slow.port);
        client.send(
          `${way.method} ${way.path}?value=${value} HTTP/1.1\r\nHost: test\r\n${sent}\r\n`,
        );
        const head = String(await client.firstBytes);
        const [, announced = ''] = /^set-cookie: (SESSION=[^;]+)/im.exec(head) ?? [];
        const text = await place.storedText((cookie ?? announced).slice('SESSION='.length));
        client.close();
        expect([head.split(' ')[1], text]).toEqual([String(way.status), JSON.stringify(value)]);
      });
      await Promise.all(visits);
    });
  });
}
