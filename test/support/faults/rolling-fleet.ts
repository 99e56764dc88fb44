import { EventEmitter, once } from 'node:events';
import { Agent } from 'node:http';
import { type INestApplication } from '@nestjs/common';
import { expect } from '@jest/globals';
import getPort from 'get-port';
import { type Nginx, startNginx } from '../../../tools/servers/nginx.mjs';
import { type RedisServer } from '../../../tools/servers/redis-server.mjs';
import { type RunningApp } from '../../sample-app/app/app.contract.js';
import { drainable } from '../apps/draining-replica.js';
import { Visitor } from '../http/visitor.js';
import { startRedis } from '../redis/redis-server.js';
import { onLanes } from './lanes.js';

export const PODS = ['a', 'b'] as const;
export type Pod = (typeof PODS)[number];

/** A client of the sample application, and what he must find again. */
export interface FleetUser {
  readonly name: 'kim' | 'root';
  readonly client: Visitor;
  readonly item: string;
  views: number;
}

/**
 * How many clients work, how many of them at once, and how many requests come between two changes of the fleet. Each replica
 * answers at least a quarter of these, so that sessions move between replicas.
 */
export interface FleetLoad {
  readonly sessions: number;
  /** A divisor of `sessions`, so that each client is used by one lane alone. */
  readonly lanes: number;
  readonly requestsPerStage: number;
}

/** Where a replica listens, and what has to be done before it does. */
export interface FleetPlace {
  readonly port: number;
  readonly configure: (app: INestApplication) => void;
}

/** Two replicas of the sample application behind nginx, which are replaced while their clients work. */
export class RollingFleet {
  readonly users: readonly FleetUser[];
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 32 });
  redis!: RedisServer;
  private nginx!: Nginx;
  private readonly ports = new Map<Pod, number>();
  private readonly replicas = new Map<Pod, RunningApp>();
  private readonly drains = new Map<Pod, () => Promise<void>>();
  /** Of the servers that have been started. */
  private readonly stops: (() => Promise<unknown>)[] = [];

  constructor(private readonly load: FleetLoad) {
    this.users = Array.from({ length: load.sessions }, (_, n) => ({
      name: n % 2 === 0 ? 'kim' : 'root',
      client: new Visitor('', this.agent),
      item: `item ${n}`,
      views: 0,
    }));
  }

  get url(): string {
    return this.nginx.url;
  }

  async start(): Promise<void> {
    this.redis = await startRedis();
    this.stops.push(() => this.redis.stop());
    for (const pod of PODS) this.ports.set(pod, await getPort({ host: '127.0.0.1' }));
    this.nginx = await startNginx({ upstreamPorts: [...this.ports.values()] });
    this.stops.push(() => this.nginx.stop());
    for (const { client } of this.users) client.url = this.url;
  }

  async stop(): Promise<void> {
    this.agent.destroy();
    await Promise.allSettled([...this.replicas.values()].map((replica) => replica.close()));
    await Promise.all(this.stops.map((stop) => stop()));
  }

  /** Takes a replica out of service and puts another one in its place. */
  async replace(pod: Pod, start: (place: FleetPlace) => Promise<RunningApp>): Promise<void> {
    await this.drains.get(pod)?.();
    await this.replicas.get(pod)?.close();
    const configure = (app: INestApplication) => void this.drains.set(pod, drainable(app, pod));
    this.replicas.set(pod, await start({ port: this.ports.get(pod) ?? 0, configure }));
  }

  /** Does the same for every client. */
  forAll(work: (user: FleetUser) => Promise<unknown>): Promise<void> {
    return onLanes(this.users, this.load.lanes, async (user) => {
      await work(user);
    });
  }

  async logIn({ client, item, name }: FleetUser): Promise<void> {
    const credentials = { username: name, password: name };
    expect((await client.post('/login', credentials)).status).toBe(200);
    expect((await client.post('/cart', { item })).status).toBe(200);
  }

  /** Uses the session of one client, who would notice that anything is missing. @returns who has answered */
  async use(user: FleetUser): Promise<string[]> {
    const { client, item, name } = user;
    const me = await client.get('/me');
    const views = await client.get('/views');
    const cart = await client.get('/cart');
    expect([me.status, me.text]).toEqual([200, expect.stringContaining(`"${name}"`)]);
    // nginx sends a GET again when the replica that has it is stopped: it may count twice, but never falls back.
    expect([views.status, Number(views.text) > user.views]).toEqual([200, true]);
    user.views = Number(views.text);
    expect([cart.status, cart.text]).toEqual([200, JSON.stringify([item])]);
    return [me, views, cart].map(({ headers }) => String(headers['x-pod']));
  }

  /** Makes one change after the other; before each, and at the end, both replicas answer requests. */
  async changeUnderLoad(changes: readonly (() => Promise<void>)[]): Promise<void> {
    const { sessions, lanes, requestsPerStage } = this.load;
    const progress = new EventEmitter();
    let pods: string[] = [];
    let isOver = false;
    const work = async (lane: number): Promise<void> => {
      for (let n = lane; !isOver; n = (n + lanes) % sessions) {
        pods.push(...(await this.use(this.users[n]!)));
        progress.emit('request');
      }
    };
    const enoughRequests = async (): Promise<void> => {
      pods = [];
      const hasEnough = (pod: Pod) =>
        pods.filter((answering) => answering === pod).length >= requestsPerStage / 4;
      while (pods.length < requestsPerStage || !PODS.every(hasEnough)) {
        await once(progress, 'request');
      }
    };
    const rollOut = async (): Promise<void> => {
      for (const change of changes) {
        await enoughRequests();
        await change();
      }
      await enoughRequests();
      isOver = true;
    };
    await Promise.all([...Array.from({ length: lanes }, (_, lane) => work(lane)), rollOut()]);
  }
}

/** Starts nginx and a Redis of their own, and stops all when `use` is done. Several fleets may roll at the same time. */
export async function withRollingFleet(
  load: FleetLoad,
  use: (fleet: RollingFleet) => Promise<void>,
): Promise<void> {
  const fleet = new RollingFleet(load);
  try {
    await fleet.start();
    await use(fleet);
  } finally {
    await fleet.stop();
  }
}
