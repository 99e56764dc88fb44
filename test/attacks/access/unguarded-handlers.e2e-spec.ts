import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Controller, Get, Injectable, Scope, SetMetadata, type Type } from '@nestjs/common';
import {
  Field,
  GraphQLModule,
  ObjectType,
  Parent,
  Query,
  ResolveField,
  ResolveReference,
  Resolver,
} from '@nestjs/graphql';
import { EventPattern, GrpcMethod, MessagePattern } from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Authenticated,
  OnSessionEvent,
  Public,
  RequireAuthorities,
  SecuredMessages,
  type SecurityOptions,
} from 'nestjs-redis-session';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';

@WebSocketGateway()
class OpenGateway {
  @SubscribeMessage('orders')
  @RequireAuthorities('ADMIN')
  orders() {
    return [];
  }
}

@WebSocketGateway()
class PlainGateway {
  @SubscribeMessage('news')
  news() {
    return [];
  }
}

@Public()
@WebSocketGateway()
class PublicGateway {
  @SubscribeMessage('news')
  news() {
    return [];
  }
}

@SecuredMessages()
@WebSocketGateway()
class SecuredGateway {
  @SubscribeMessage('orders')
  @RequireAuthorities('ADMIN')
  orders() {
    return [];
  }
}

@Controller()
class OpenMessages {
  @MessagePattern('orders')
  @Authenticated()
  orders() {
    return [];
  }
}

abstract class BaseGateway {
  @SubscribeMessage('orders')
  @RequireAuthorities('ADMIN')
  orders() {
    return [];
  }
}

@WebSocketGateway()
class InheritingGateway extends BaseGateway {}

@Controller()
class OpenEvents {
  @EventPattern('ordered')
  @Authenticated()
  note(event: object) {
    return [event];
  }
}

@Controller()
class OpenCalls {
  @GrpcMethod('Orders', 'list')
  @Authenticated()
  list(request: object) {
    return [request];
  }
}

@Controller({ scope: Scope.REQUEST })
class OpenMessagesOfRequests extends OpenMessages {}

@Controller()
@SecuredMessages()
class SecuredMessagesController {
  @MessagePattern('orders')
  @Authenticated()
  orders() {
    return [];
  }
}

@ObjectType()
class Account {
  @Field(() => String)
  name!: string;

  @Field(() => String)
  secret!: string;
}

@Injectable()
@Resolver(() => Account)
class AccountQueries {
  @Query(() => Account)
  account() {
    return { name: 'kim' };
  }
}

@Injectable()
@Resolver(() => Account)
@RequireAuthorities('ADMIN')
class AdminResolver {
  @ResolveField(() => String)
  secret(@Parent() { name }: Account) {
    return `secret of ${name}`;
  }

  @ResolveField(() => String)
  @Public()
  name(@Parent() { name }: Account) {
    return name;
  }
}

@Injectable()
@Resolver(() => Account)
class ReferenceResolver {
  @ResolveReference()
  @RequireAuthorities('ADMIN')
  account() {
    return { name: 'kim', secret: '' };
  }
}

@Injectable()
@Resolver(() => Account)
class AccountResolver {
  @Query(() => Account)
  account() {
    return { name: 'kim' };
  }

  @ResolveField(() => String)
  @RequireAuthorities('ADMIN')
  secret(@Parent() { name }: Account) {
    return `secret of ${name}`;
  }
}

@Injectable()
@Resolver(() => Account)
class PublicQueries {
  @Query(() => Account)
  @Public()
  account() {
    return { name: 'kim' };
  }
}

@Injectable()
@Resolver(() => Account)
class PlainField {
  @ResolveField(() => String)
  secret(@Parent() { name }: Account) {
    return `secret of ${name}`;
  }
}

@Injectable()
@Resolver(() => Account)
class PublicField {
  @ResolveField(() => String)
  @Public()
  secret(@Parent() { name }: Account) {
    return `secret of ${name}`;
  }
}

@Injectable()
@Resolver(() => Account)
class PlainReference {
  @ResolveReference()
  account() {
    return { name: 'kim', secret: '' };
  }
}

@Injectable()
class OrdersService {
  @RequireAuthorities('ADMIN')
  removeAll() {
    return [];
  }
}

@Injectable()
@Authenticated()
class ReportsService {
  list() {
    return [];
  }
}

@Injectable()
class CartsService {
  @OnSessionEvent('expired')
  @Authenticated()
  release() {
    return [];
  }
}

@Injectable()
@Authenticated()
class ProtectedCartsService {
  @OnSessionEvent('expired')
  release() {
    return [];
  }
}

@Controller('orders')
@Authenticated()
class OrdersController {
  @Get()
  list() {
    return this.visible();
  }

  visible() {
    return [];
  }

  @OnSessionEvent('expired')
  forget() {
    return [];
  }
}

@Controller('orders')
class HelpedController {
  @Get()
  list() {
    return this.visible();
  }

  @Authenticated()
  visible() {
    return [];
  }
}

abstract class ListController {
  @Get()
  @Authenticated()
  list() {
    return [];
  }
}

/** Switches the route off. */
@Controller('orders')
class ClosedController extends ListController {
  override list() {
    return super.list();
  }
}

/** Has no route yet. */
@Controller('orders')
@Authenticated()
class FutureController {
  visible() {
    return [];
  }
}

/** Overrides the method of a protected class, and is itself no more than a service. */
@Injectable()
class OrdersCache extends OrdersController {
  override list() {
    return [];
  }
}

/** Only sends. */
@WebSocketGateway()
@Authenticated()
class PushGateway {
  handleConnection() {
    return [];
  }
}

/** Marks a handler of a framework that this library does not know; guards may run for it. */
@Injectable()
class BotHandlers {
  @SetMetadata('bot:command', 'orders')
  @Authenticated()
  orders() {
    return [];
  }
}

const QUERY = { query: '{ account { secret } }' };
const RESOLVERS: Type[] = [AccountQueries, AccountResolver, PublicQueries];
const MESSAGES = 'handles messages that no guard of the application sees';

describe.each(PLATFORMS)('decorators that would do nothing on %s', (platform) => {
  let app: StartedApp | undefined;
  afterEach(async () => {
    await app?.close();
    app = undefined;
  });

  async function start(
    parts: {
      providers?: Type[];
      controllers?: Type[];
      enhancers?: 'guards'[];
      /** Of further endpoints. */
      others?: 'guards'[][];
    },
    security: SecurityOptions = {},
  ): Promise<void> {
    const { providers = [], controllers = [], enhancers, others = [] } = parts;
    const graphqlWith = (path: string, fieldResolverEnhancers: 'guards'[] | undefined) =>
      GraphQLModule.forRoot<ApolloDriverConfig>({
        ...{ autoSchemaFile: true, driver: ApolloDriver, path },
        ...(fieldResolverEnhancers && { fieldResolverEnhancers }),
      });
    const graphql = [
      graphqlWith('/graphql', enhancers),
      ...others.map((other, index) => graphqlWith(`/graphql-${index}`, other)),
    ];
    const hasGraphql = providers.some((provider) => RESOLVERS.includes(provider));
    const events = { repository: 'indexed', indexed: { eventDelivery: 'broadcast' } } as const;
    app = await startApp(platform, {
      options: { store: 'memory', security, ...events },
      imports: hasGraphql ? graphql : [],
      providers,
      controllers,
    });
  }

  it('refuse the start on a gateway without @SecuredMessages()', async () => {
    await expect(start({ providers: [OpenGateway] })).rejects.toThrow(
      `Cannot start: OpenGateway.orders ${MESSAGES}: anybody could send them. Put @SecuredMessages() on its class, or @Public() if anybody may.`,
    );
  });

  it('refuse the start on a gateway without rules of its own when everything is protected', async () => {
    const security = { authorization: 'all' } as const;
    await expect(start({ providers: [PlainGateway] }, security)).rejects.toThrow(
      `PlainGateway.news ${MESSAGES}`,
    );
    await start({ providers: [PublicGateway, SecuredGateway] }, security);
  });

  it.each([
    ['a gateway whose handler is inherited', { providers: [InheritingGateway] }],
    ['events of a microservice', { controllers: [OpenEvents] }],
    ['calls of gRPC', { controllers: [OpenCalls] }],
    ['messages of a controller for each request', { controllers: [OpenMessagesOfRequests] }],
  ])('refuse the start on %s', async (_, parts) => {
    await expect(start(parts)).rejects.toThrow(MESSAGES);
  });

  it('refuse the start on microservice messages of an application with HTTP', async () => {
    await expect(start({ controllers: [OpenMessages] })).rejects.toThrow(
      `OpenMessages.orders ${MESSAGES}`,
    );
    await start({ controllers: [SecuredMessagesController] });
  });

  it.each([
    ['a method of a service', { providers: [OrdersService] }, 'OrdersService.removeAll'],
    ['a handler of session events', { providers: [CartsService] }, 'CartsService.release'],
    [
      'a method of a controller that is no route',
      { controllers: [HelpedController] },
      'HelpedController.visible',
    ],
  ])('refuse the start on %s', async (_, parts, name) => {
    await expect(start(parts)).rejects.toThrow(
      `Cannot start: ${name} has rules, and is no handler: Nest runs no guard before it. Put the decorators on the route or message handlers that call it.`,
    );
    await start({ controllers: [OrdersController], providers: [BotHandlers] });
  });

  it.each([ReportsService, ProtectedCartsService, PushGateway])(
    'refuse the start on %p, a class without a handler',
    async (target) => {
      await expect(start({ providers: [target] })).rejects.toThrow(
        `Cannot start: ${target.name} has rules, but no handler: Nest runs no guard before its methods. Put the decorators on the route or message handlers that call them. A gateway must check its clients itself in handleConnection.`,
      );
    },
  );

  it.each([
    ['an override that switches a route off', { controllers: [ClosedController] }],
    ['a controller without a route', { controllers: [FutureController] }],
    ['a service that extends a protected class', { providers: [OrdersCache] }],
  ])('leave %s alone', async (_, parts) => {
    await start(parts);
    expect((await app!.client.get('/orders')).status).toBe(404);
  });

  it('refuse the start on a field of GraphQL for which Nest asks no guard', async () => {
    await expect(start({ providers: [AccountResolver] })).rejects.toThrow(
      "Cannot start: AccountResolver.secret has rules that Nest does not ask for a field. Add fieldResolverEnhancers: ['guards'] to the options of GraphQLModule.",
    );
    await start({ providers: [AccountResolver], enhancers: ['guards'] });
  });

  it.each([
    ['the first', [], ['guards' as const]],
    ['the second', ['guards' as const], []],
  ])('refuse the start where %s of two endpoints asks no guard', async (_, enhancers, other) => {
    const parts = { providers: [AccountResolver], enhancers, others: [other] };
    await expect(start(parts)).rejects.toThrow(
      'Cannot start: AccountResolver.secret has rules that Nest does not ask for a field.',
    );
    await start({ ...parts, enhancers: ['guards'], others: [['guards']] });
  });

  it.each([
    ['a field of a resolver whose class has rules', AdminResolver, 'AdminResolver.secret'],
    ['a reference of Apollo Federation', ReferenceResolver, 'ReferenceResolver.account'],
  ])('refuse the start on %s', async (_, resolver, name) => {
    await expect(start({ providers: [AccountQueries, resolver] })).rejects.toThrow(
      `Cannot start: ${name} has rules that Nest does not ask for a field.`,
    );
    await start({ providers: [AccountQueries, resolver], enhancers: ['guards'] });
  });

  it.each([
    [
      'a field without rules that a public query leads to',
      PublicQueries,
      PlainField,
      'PlainField.secret',
    ],
    [
      'a reference of Apollo Federation without rules',
      AccountQueries,
      PlainReference,
      'PlainReference.account',
    ],
  ])('refuse the start when everything is protected on %s', async (...names) => {
    const [, queries, resolver, name] = names;
    const security = { authorization: 'all' } as const;
    await expect(start({ providers: [queries, resolver] }, security)).rejects.toThrow(
      `Cannot start: ${name} is read without a guard: anybody could ask for it where a query is public. Add fieldResolverEnhancers: ['guards'] to the options of GraphQLModule, or @Public() if anybody may.`,
    );
    await start({ providers: [queries, resolver] });
  });

  it('keep a field without rules from anybody when everything is protected', async () => {
    const security = { authorization: 'all' } as const;
    await start({ providers: [PublicQueries, PlainField], enhancers: ['guards'] }, security);
    const answer = await app!.client.post('/graphql').send(QUERY);
    expect(answer.body).toMatchObject({ data: null, errors: [{ path: ['account', 'secret'] }] });
    expect(answer.text).not.toContain('secret of kim');
  });

  it('leave fields alone that are public, or that only protected queries lead to', async () => {
    const security = { authorization: 'all' } as const;
    await start({ providers: [PublicQueries, PublicField] }, security);
    const open = await app!.client.post('/graphql').send(QUERY);
    expect(open.body).toEqual({ data: { account: { secret: 'secret of kim' } } });
    await app!.close();
    await start({ providers: [AccountQueries, PlainField] }, security);
    const closed = await app!.client.post('/graphql').send(QUERY);
    expect(closed.text).not.toContain('secret of kim');
  });

  it('leave a start alone that needs none of them', async () => {
    await start({ providers: [PlainGateway] });
  });
});
