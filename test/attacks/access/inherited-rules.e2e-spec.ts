import { describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import {
  Authenticated,
  Public,
  RequireAnyAuthority,
  RequireAuthorities,
  SessionManagementModule,
} from 'nestjs-redis-session';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { SESSION_ROUTES } from '../../support/apps/session-controller.js';
import { ADMIN, KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { Visitor } from '../../support/http/visitor.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

@RequireAuthorities('ADMIN')
abstract class AdminController {
  @Get('inherited')
  inherited(): string {
    return 'inherited';
  }

  @Get('health')
  @Public()
  health(): string {
    return 'health';
  }
}

@Controller('subclass')
@Authenticated()
class SubclassController extends AdminController {
  @Get('added')
  @Authenticated()
  added(): string {
    return 'added';
  }
}

@Controller('opened')
@Public()
class OpenedController extends AdminController {}

abstract class OrdersController {
  @Get('orders')
  @RequireAuthorities('ADMIN')
  orders(): string {
    return 'orders';
  }
}

@Controller('undecorated')
class UndecoratedController extends OrdersController {
  @Get('orders')
  override orders(): string {
    return 'undecorated';
  }
}

@Controller('redecorated')
class RedecoratedController extends OrdersController {
  @Get('orders')
  @Authenticated()
  override orders(): string {
    return 'redecorated';
  }
}

@Controller('stricter')
@RequireAuthorities('ADMIN')
class StricterController extends SubclassController {}

@Controller('closed')
@RequireAuthorities('ADMIN')
class ClosedController extends AdminController {
  @Get('health')
  override health(): string {
    return 'closed';
  }
}

@Controller('reopened')
class ReopenedController extends AdminController {
  @Get('health')
  override health(): string {
    return 'reopened';
  }
}

@Authenticated()
abstract class OwnRulesController {
  @Get('own')
  @RequireAnyAuthority('USER', 'ADMIN')
  own(): string {
    return 'own';
  }
}

@Controller('stricter-class')
@RequireAuthorities('ADMIN')
class StricterClassController extends OwnRulesController {}

describe.each(PLATFORMS)('The rules of a base class, on %s', (platform) => {
  const redis = useTestRedis();
  const start = useApps(platform, redis, SESSION_ROUTES);

  it.each([
    ['/subclass/inherited', 403, 200],
    ['/subclass/added', 403, 200],
    ['/subclass/health', 200, 200],
    ['/opened/inherited', 200, 200],
    ['/undecorated/orders', 403, 200],
    ['/redecorated/orders', 403, 200],
    ['/stricter/health', 200, 200],
    ['/stricter-class/own', 403, 200],
    ['/closed/health', 403, 200],
    ['/reopened/health', 200, 200],
  ])(
    'hold beside those of a subclass: %s answers users %i and admins %i',
    async (path, ...want) => {
      const { url } = await start(
        {},
        {
          controllers: [
            ...LOGIN_PARTS.controllers,
            SubclassController,
            OpenedController,
            UndecoratedController,
            RedecoratedController,
            StricterController,
            StricterClassController,
            ClosedController,
            ReopenedController,
          ],
          providers: LOGIN_PARTS.providers,
        },
      );
      const statuses = [];
      for (const user of [KIM, ADMIN]) {
        const visitor = new Visitor(url);
        await visitor.post('/login', user);
        statuses.push((await visitor.get(path)).status);
      }
      expect(statuses).toEqual(want);
    },
  );
});

describe('A rule without authorities', () => {
  it.each([
    ['@RequireAuthorities()', RequireAuthorities, []],
    ['@RequireAnyAuthority()', RequireAnyAuthority, []],
    ['@RequireAuthorities()', RequireAuthorities, ['ADMIN', '']],
    ['@RequireAnyAuthority()', RequireAnyAuthority, [undefined as unknown as string]],
  ])('is refused with the name of the handler: %s', (name, decorator, authorities) => {
    expect(() => {
      class ReportsController {
        @decorator(...authorities)
        list(): string {
          return 'reports';
        }
      }
      return ReportsController;
    }).toThrow(
      `Cannot use ${name} on ReportsController.list: it names no authority, or an empty one. Name one, or use @Authenticated().`,
    );
  });

  it('is refused on a class', () => {
    expect(() => {
      @RequireAuthorities()
      class ReportsController {}
      return ReportsController;
    }).toThrow('Cannot use @RequireAuthorities() on ReportsController: it names no authority');
  });

  it('is refused as the authority of the management routes', () => {
    expect(() => SessionManagementModule.forRoot({ authority: '' })).toThrow(
      'it names no authority, or an empty one',
    );
  });
});
