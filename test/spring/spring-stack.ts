import { afterAll, beforeAll } from '@jest/globals';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { buildBoth } from '../../tools/demo-spring/build.mjs';
import {
  type SpringStack,
  type SpringStackOptions,
  startAnotherNest,
  startSpringStack,
} from '../../tools/demo-spring/stack.mjs';
import { type Answer, Visitor } from '../../tools/demo/visitor.mjs';

/** The first run downloads Spring. */
const BUILD_WITHIN_MS = 900_000;

/** A Spring Boot application, a Nest one, nginx and Redis. Each test has visitors of its own, so many can share them. */
export class SpringApps {
  private stack: SpringStack | undefined;
  private client: Redis | undefined;
  private pool: Pool | undefined;

  constructor(readonly options: SpringStackOptions) {}

  /** Of the sessions, with `store: 'postgres'`. */
  get postgres(): Pool {
    this.pool ??= new Pool({ connectionString: this.running.storeUrl });
    return this.pool;
  }

  get running(): SpringStack {
    if (!this.stack) throw new Error('The applications have not started yet.');
    return this.stack;
  }

  /** Of the sessions. */
  get redis(): Redis {
    this.client ??= new Redis(this.running.storeUrl);
    return this.client;
  }

  /** @param beside - whose Spring application and whose store are used; left out = they are started, too */
  async start(beside?: SpringApps): Promise<void> {
    const programs = await buildBoth(this.options.boot, this.options.store);
    this.stack = beside
      ? await startAnotherNest(programs.main, beside.running, this.options)
      : await startSpringStack(programs, this.options);
  }

  async stop(): Promise<void> {
    this.client?.disconnect();
    await this.pool?.end();
    await this.stack?.stop();
  }

  visitor(): Visitor {
    return new Visitor(this.running.url);
  }

  /** @returns a visitor who has logged in on one side */
  async login(side: 'nest' | 'spring', name = 'alice'): Promise<Visitor> {
    const visitor = this.visitor();
    const token = (await visitor.getJson(`/${side}/api/csrf`)).text;
    await visitor.submit(`/${side}/login`, { username: name, password: name, _csrf: token });
    return visitor;
  }

  async logOut(visitor: Visitor, side: 'nest' | 'spring'): Promise<Answer> {
    const token = (await visitor.getJson(`/${side}/api/csrf`)).text;
    // Fastify has not read the form when Nest answers the logout.
    return this.options.platform === 'fastify'
      ? visitor.submit(`/${side}/logout`, {}, { 'x-csrf-token': token })
      : visitor.submit(`/${side}/logout`, { _csrf: token });
  }
}

/** Starts them before the tests of this file, or of this block, and stops them afterwards. */
export function useSpringApps(options: SpringStackOptions): SpringApps {
  const apps = new SpringApps(options);
  beforeAll(() => apps.start(), BUILD_WITHIN_MS);
  afterAll(() => apps.stop());
  return apps;
}

/** Starts a Nest application with other options beside the same Spring application, for this block. */
export function useAnotherNest(
  beside: SpringApps,
  options: Pick<SpringStackOptions, 'platform' | 'storesLogins'>,
): SpringApps {
  const apps = new SpringApps({ ...beside.options, ...options });
  beforeAll(() => apps.start(beside), BUILD_WITHIN_MS);
  afterAll(() => apps.stop());
  return apps;
}

/** The id of the session in the cookie of a visitor. */
export async function sessionIdOf(visitor: Visitor): Promise<string> {
  const [, value = ''] = /SESSION=([^;]+)/.exec(await visitor.cookie()) ?? [];
  return Buffer.from(value, 'base64').toString();
}

/** The key of a visitor's session. */
export async function sessionKeyOf(visitor: Visitor): Promise<string> {
  return `spring:session:sessions:${await sessionIdOf(visitor)}`;
}

/** What `/api/me` says on one side. */
export async function userAt(visitor: Visitor, side: 'nest' | 'spring'): Promise<unknown> {
  const { status, text } = await visitor.getJson(`/${side}/api/me`);
  if (status !== 200) throw new Error(`${side} answers ${status}: ${text}`);
  return (JSON.parse(text) as { name: unknown }).name;
}
