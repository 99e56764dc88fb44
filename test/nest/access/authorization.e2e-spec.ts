import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  ForbiddenException,
  Get,
  Injectable,
  type MiddlewareConsumer,
  Module,
  type NestMiddleware,
  Query,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import {
  Authenticated,
  AuthorizeBy,
  CurrentSecurityContext,
  CurrentUser,
  Public,
  type RedisSessionModuleOptions,
  RequireAnyAuthority,
  RequireAuthorities,
  type SecurityContext,
  SecurityContextHolder,
} from 'nestjs-redis-session';
import {
  type AppParts,
  PLATFORMS,
  startApp,
  type StartedApp,
} from '../../support/apps/start-app.js';
import { ADMIN, KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { Visitor } from '../../support/http/visitor.js';

const isOwner = AuthorizeBy((authentication, context) => {
  const { query } = context.switchToHttp().getRequest<{ query: { owner?: string } }>();
  return Promise.resolve(authentication?.name === query.owner);
});

@Authenticated()
abstract class MembersController {
  @Get()
  inherited(): string {
    return 'inherited';
  }

  @Get('admin')
  @RequireAuthorities('ADMIN')
  admin(): string {
    return 'admin';
  }
}

@Controller('plain')
class PlainController extends MembersController {
  @Get('public')
  @Public()
  everybody(): string {
    return 'public';
  }

  @Get('all')
  @RequireAuthorities('USER', 'ADMIN')
  all(): string {
    return 'all';
  }

  @Get('any')
  @RequireAnyAuthority('AUDITOR', 'USER')
  any(): string {
    return 'any';
  }

  @Get('owner')
  @isOwner
  owner(@Query('owner') owner: string): string {
    return owner;
  }

  @Get('both')
  @RequireAuthorities('ADMIN')
  @isOwner
  both(): string {
    return 'both';
  }

  @Get('truthy')
  @AuthorizeBy(() => 'yes' as unknown as boolean)
  truthy(): string {
    return 'truthy';
  }
}

@Controller('overridden')
@RequireAuthorities('ADMIN')
class OverriddenController extends MembersController {
  @Get('admin')
  override admin(): string {
    return 'without a rule of its own';
  }
}

@Controller('open')
class OpenController {
  @Get()
  open(@CurrentUser('username') name: string | undefined): object {
    return { name, held: SecurityContextHolder.getAuthentication()?.name };
  }

  @Get('context')
  context(@CurrentSecurityContext() { authentication }: SecurityContext): object {
    return { authorities: authentication?.authorities ?? [] };
  }
}

/** As in Nest's own documentation: looks for the user where passport puts him. */
@Injectable()
class OwnRolesGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{
      user?: { username: string };
      headers: Record<string, unknown>;
    }>();
    if (!request.headers['x-asks-guard']) return true;
    throw new ForbiddenException({
      user: request.user?.username,
      held: SecurityContextHolder.getAuthentication()?.name,
    });
  }
}

@Injectable()
class OwnMiddleware implements NestMiddleware {
  use(
    request: { headers: Record<string, unknown>; user?: { username: string } },
    _response: unknown,
    next: () => void,
  ): void {
    if (!request.headers['x-asks-middleware']) return next();
    throw new ForbiddenException({
      user: request.user?.username,
      held: SecurityContextHolder.getAuthentication()?.name,
    });
  }
}

@Module({ providers: [{ provide: APP_GUARD, useClass: OwnRolesGuard }] })
class OwnGuardModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(OwnMiddleware).forRoutes('open');
  }
}

describe.each(PLATFORMS)('authorization on %s', (platform) => {
  let app: StartedApp;
  let anonymous: Visitor;
  let kim: Visitor;
  let admin: Visitor;

  const start = async (
    security: RedisSessionModuleOptions['security'],
    { load = 'eager', imports = [] }: Pick<RedisSessionModuleOptions, 'load'> & AppParts = {},
  ) => {
    app = await startApp(platform, {
      ...LOGIN_PARTS,
      imports,
      controllers: [
        ...LOGIN_PARTS.controllers,
        ...[PlainController, OverriddenController, OpenController],
      ],
      options: { store: 'memory', load, security },
    });
    anonymous = new Visitor(app.url);
    kim = new Visitor(app.url);
    admin = new Visitor(app.url);
    await kim.post('/login', KIM);
    await admin.post('/login', ADMIN);
  };
  /** The statuses that an anonymous visitor, kim and admin get. */
  const statusesOf = async (path: string) => {
    const answers = [await anonymous.get(path), await kim.get(path), await admin.get(path)];
    return answers.map(({ status }) => status);
  };

  afterEach(() => app.close());

  it.each<['eager' | 'lazy']>([['eager'], ['lazy']])('decides by decorators, %s', async (load) => {
    await start({}, { load });
    expect({
      inherited: await statusesOf('/plain'),
      'of the method': await statusesOf('/plain/admin'),
      public: await statusesOf('/plain/public'),
      all: await statusesOf('/plain/all'),
      any: await statusesOf('/plain/any'),
      'by a function': await statusesOf('/plain/owner?owner=kim'),
      both: await statusesOf('/plain/both?owner=admin'),
      'both, one missing': await statusesOf('/plain/both?owner=kim'),
      'only true itself': await statusesOf('/plain/truthy'),
      'the class of the inheriting one': await statusesOf('/overridden'),
      'an overridden method': await statusesOf('/overridden/admin'),
      'not decorated': await statusesOf('/open'),
    }).toEqual({
      inherited: [401, 200, 200],
      'of the method': [401, 403, 200],
      public: [200, 200, 200],
      all: [401, 403, 200],
      any: [401, 200, 200],
      'by a function': [401, 200, 403],
      both: [401, 403, 200],
      'both, one missing': [401, 403, 403],
      'only true itself': [401, 403, 403],
      'the class of the inheriting one': [401, 403, 200],
      'an overridden method': [401, 403, 200],
      'not decorated': [200, 200, 200],
    });
  });

  it("protects every route that is not public with authorization: 'all'", async () => {
    await start({ authorization: 'all' });
    expect(await statusesOf('/open')).toEqual([401, 200, 200]);
    expect(await statusesOf('/plain/public')).toEqual([200, 200, 200]);
    expect(await statusesOf('/missing')).toEqual([404, 404, 404]);
  });

  it('lets authorities include others', async () => {
    await start({ roleHierarchy: { USER: ['GUEST'], GUEST: ['AUDITOR', 'ADMIN'] } });
    expect(await statusesOf('/plain/admin')).toEqual([401, 200, 200]);
    expect((await kim.get('/open/context')).body).toEqual({ authorities: ['USER'] });
  });

  it.each<['eager' | 'lazy']>([['eager'], ['lazy']])(
    'tells handlers who the user is, %s',
    async (load) => {
      await start({}, { load });
      const held = load === 'eager' ? { held: 'kim' } : {};
      expect((await anonymous.get('/open')).body).toEqual({});
      expect((await kim.get('/open')).body).toMatchObject({ name: 'kim', ...held });
      expect((await kim.get('/open/context')).body).toEqual({ authorities: ['USER'] });
    },
  );

  it('tells global guards and middleware of the application who the user is', async () => {
    await start({}, { imports: [OwnGuardModule] });
    for (const header of ['x-asks-guard', 'x-asks-middleware']) {
      const known = await kim.get('/open', { [header]: '1' });
      expect([known.status, known.body]).toEqual([403, { user: 'kim', held: 'kim' }]);
      const unknown = await anonymous.get('/open', { [header]: '1' });
      expect([unknown.status, unknown.body]).toEqual([403, {}]);
    }
  });

  it('is left out with security: false: sessions alone', async () => {
    await start(false);
    expect(await statusesOf('/plain/admin')).toEqual([200, 200, 200]);
    expect((await kim.get('/open')).body).toEqual({});
  });
});
