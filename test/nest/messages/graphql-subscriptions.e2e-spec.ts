import { once } from 'node:events';
import { type IncomingMessage } from 'node:http';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { GraphQLModule, Mutation, Query, Resolver, Subscription } from '@nestjs/graphql';
import { describe, expect, it } from '@jest/globals';
import { Authenticated, type SecurityOptions } from 'nestjs-redis-session';
import { WebSocket } from 'ws';
import { KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { Visitor } from '../../support/http/visitor.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

@Resolver()
class NewsResolver {
  @Query(() => String)
  latest(): string {
    return 'latest';
  }

  @Mutation(() => String)
  publish(): string {
    return 'published';
  }

  @Subscription(() => String)
  async *news(): AsyncGenerator<object> {
    yield await Promise.resolve({ news: 'first' });
  }

  @Subscription(() => String)
  @Authenticated()
  async *orders(): AsyncGenerator<object> {
    yield await Promise.resolve({ orders: 'first' });
  }
}

interface Message {
  readonly type: string;
  readonly payload?: { readonly data?: unknown; readonly errors?: readonly object[] };
}

/** @returns the first result of an operation that is sent over a WebSocket, by the protocol graphql-transport-ws */
async function resultOf(url: string, query: string): Promise<Message['payload']> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  // Of a socket that is ended before it is open.
  socket.on('error', () => undefined);
  const signal = AbortSignal.timeout(10_000);
  const next = async (): Promise<Message> => {
    const [data] = (await once(socket, 'message', { signal })) as [Buffer];
    return JSON.parse(data.toString()) as Message;
  };
  try {
    await once(socket, 'open', { signal });
    socket.send(JSON.stringify({ type: 'connection_init' }));
    await next();
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
    return (await next()).payload;
  } finally {
    socket.terminate();
  }
}

/** A context of the application: `make` is given the request, and makes what takes its place. */
const contextWith =
  (make: (request: IncomingMessage) => object) =>
  (of: IncomingMessage & { readonly req?: IncomingMessage }) => ({ req: make(of.req ?? of) });

const FORBIDDEN = { errors: [{ extensions: { code: 'FORBIDDEN' } }] };

describe.each(PLATFORMS)('GraphQL on %s', (platform) => {
  const start = useApps(platform, useTestRedis(), {
    ...LOGIN_PARTS,
    providers: [...LOGIN_PARTS.providers, NewsResolver],
  });

  const startWith = (security: SecurityOptions, context?: ReturnType<typeof contextWith>) =>
    start(
      { security },
      {
        imports: [
          GraphQLModule.forRoot<ApolloDriverConfig>({
            autoSchemaFile: true,
            driver: ApolloDriver,
            subscriptions: { 'graphql-ws': true },
            ...(context && { context }),
          }),
        ],
      },
    );

  it.each([false, true])('answers subscriptions as anonymous, with csrf: %s', async (csrf) => {
    const { url } = await startWith({ csrf });
    expect(await resultOf(url, 'subscription { news }')).toEqual({ data: { news: 'first' } });
    expect(await resultOf(url, 'subscription { orders }')).toMatchObject({
      errors: [{ message: 'Log in to use this resource.' }],
    });
  });

  it('refuses a mutation over HTTP without a token', async () => {
    const { client } = await startWith({ csrf: true });
    const answer = await client.post('/graphql').send({ query: 'mutation { publish }' });
    expect(answer.body).toMatchObject(FORBIDDEN);
  });

  it.each([
    ['of the application, of a visitor', contextWith(({ headers }) => ({ headers })), undefined],
    ['without headers, of a visitor', contextWith(() => ({})), undefined],
    ['without headers, of a user', contextWith(() => ({})), KIM],
  ])('refuses a mutation without a token whose request is one %s', async (_, context, user) => {
    const { url } = await startWith({ csrf: { isExempt: ({ url }) => url === '/login' } }, context);
    const visitor = new Visitor(url);
    if (user) await visitor.post('/login', user);
    const answer = await visitor.post('/graphql', { query: 'mutation { publish }' });
    expect(JSON.parse(answer.text)).toMatchObject(FORBIDDEN);
    expect(await resultOf(url, 'subscription { news }')).toEqual({ data: { news: 'first' } });
  });

  it('refuses a mutation over a WebSocket, which has no token', async () => {
    const { url } = await startWith({ csrf: true });
    const message =
      'The CSRF token is missing. Send one of your session as the header X-CSRF-TOKEN, or as the field _csrf if the body is not multipart.';
    expect(await resultOf(url, 'mutation { publish }')).toMatchObject({ errors: [{ message }] });
  });
});
