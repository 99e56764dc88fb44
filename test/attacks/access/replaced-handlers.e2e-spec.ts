import { Controller, Get, Scope } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Authenticated, RequireAuthorities } from 'nestjs-redis-session';
import { ADMIN, KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { Visitor } from '../../support/http/visitor.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

/** As libraries of aspects do: the wrapper inherits the metadata of what it wraps. */
function Traced(_target: object, _name: string, descriptor: PropertyDescriptor): void {
  const wrapped = descriptor.value as () => unknown;
  descriptor.value = function (this: unknown) {
    return wrapped.call(this);
  };
  Object.setPrototypeOf(descriptor.value, wrapped);
}

@Controller('bound')
class BoundController {
  constructor() {
    this.report = this.report.bind(this);
  }

  @Get()
  @RequireAuthorities('ADMIN')
  report(): string {
    return 'report';
  }
}

@Controller({ path: 'bound-by-request', scope: Scope.REQUEST })
class BoundByRequestController {
  constructor() {
    this.report = this.report.bind(this);
  }

  @Get()
  @RequireAuthorities('ADMIN')
  report(): string {
    return 'report';
  }
}

@Controller('traced')
class TracedController {
  @Traced
  @Get()
  @RequireAuthorities('ADMIN')
  report(): string {
    return 'report';
  }

  @Get('between')
  @Authenticated()
  @Traced
  @RequireAuthorities('ADMIN')
  between(): string {
    return 'between';
  }
}

@Controller('wrapped')
class WrappedController {
  constructor() {
    const report = this.report.bind(this);
    this.report = () => report();
  }

  @Get()
  @RequireAuthorities('ADMIN')
  report(): string {
    return 'report';
  }
}

describe.each(PLATFORMS)('A handler that something else has replaced, on %s', (platform) => {
  const start = useApps(platform, useTestRedis(), LOGIN_PARTS);

  it.each(['/bound', '/bound-by-request', '/traced', '/traced/between'])(
    'keeps its rules: %s is for administrators alone',
    async (path) => {
      const { url } = await start(
        {},
        { controllers: [BoundController, BoundByRequestController, TracedController] },
      );
      const statusFor = async (user?: object) => {
        const visitor = new Visitor(url);
        if (user) await visitor.post('/login', user);
        return (await visitor.get(path)).status;
      };
      expect([await statusFor(), await statusFor(KIM), await statusFor(ADMIN)]).toEqual([
        401, 403, 200,
      ]);
    },
  );

  it('refuses the start if the constructor puts another function in place of a handler', async () => {
    await expect(start({}, { controllers: [WrappedController] })).rejects.toThrow(
      'Cannot start: WrappedController.report has rules that Nest does not see, as the constructor replaces the method. Replace it on the class, by a decorator.',
    );
  });
});
