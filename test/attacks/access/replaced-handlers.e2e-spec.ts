import { Controller, Get, Scope, type Type } from '@nestjs/common';
import { RouterExecutionContext } from '@nestjs/core/router/router-execution-context.js';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Authenticated, Public, RequireAuthorities } from 'nestjs-redis-session';
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

/** As many loggers do: the wrapper has no metadata. */
function Logged(_target: object, _name: string, descriptor: PropertyDescriptor): void {
  const wrapped = descriptor.value as () => unknown;
  descriptor.value = function (this: unknown) {
    return wrapped.call(this);
  };
}

/** As tracers of Nest do: it is given another function of the same name that has the same metadata. */
function traceRoutes(): () => void {
  const prototype = RouterExecutionContext.prototype as unknown as Record<'create', Create>;
  const { create } = prototype;
  prototype.create = function (instance, handler, ...others) {
    const traced = (...args: unknown[]): unknown => handler.apply(instance, args);
    Object.defineProperty(traced, 'name', { value: handler.name });
    for (const key of Reflect.getMetadataKeys(handler) as string[])
      Reflect.defineMetadata(key, Reflect.getMetadata(key, handler), traced);
    return create.call(this, instance, traced, ...others);
  };
  return () => (prototype.create = create);
}

type Create = (
  this: unknown,
  instance: object,
  handler: (...args: unknown[]) => unknown,
  ...others: unknown[]
) => unknown;

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

class BaseController {
  @Get()
  @RequireAuthorities('ADMIN')
  report(): string {
    return 'base';
  }
}

@Controller('overridden')
class OverridingController extends BaseController {
  @Get()
  override report(): string {
    return 'report';
  }
}

@Controller('logged')
class LoggedController {
  @Get()
  @Logged
  @RequireAuthorities('ADMIN')
  report(): string {
    return 'report';
  }

  @Get('between')
  @Authenticated()
  @Logged
  @RequireAuthorities('ADMIN')
  between(): string {
    return 'between';
  }

  /** Has the name of a handler. */
  @Public()
  static report(): string {
    return 'static';
  }
}

@Controller('logged-base')
class InheritingController extends LoggedController {}

@Controller('logged-override')
class LoggedOverrideController extends LoggedController {
  @Get()
  override report(): string {
    return 'override';
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
  let untrace: (() => void) | undefined;
  afterEach(() => untrace?.());

  async function statusesOf(path: string, controller: Type): Promise<number[]> {
    const { url } = await start({}, { controllers: [controller] });
    const statusFor = async (user?: object) => {
      const visitor = new Visitor(url);
      if (user) await visitor.post('/login', user);
      return (await visitor.get(path)).status;
    };
    return [await statusFor(), await statusFor(KIM), await statusFor(ADMIN)];
  }

  it.each([
    ['/bound', BoundController],
    ['/bound-by-request', BoundByRequestController],
    ['/traced', TracedController],
    ['/traced/between', TracedController],
    ['/logged', LoggedController],
    ['/logged/between', LoggedController],
    ['/logged-base', InheritingController],
    ['/logged-override', LoggedOverrideController],
  ])('keeps its rules: %s is for administrators alone', async (path, controller) => {
    expect(await statusesOf(path, controller)).toEqual([401, 403, 200]);
  });

  it('keeps the rules of its base class where a tracer copies its metadata', async () => {
    untrace = traceRoutes();
    expect(await statusesOf('/overridden', OverridingController)).toEqual([401, 403, 200]);
  });

  it('refuses the start if the constructor puts another function in place of a handler', async () => {
    await expect(start({}, { controllers: [WrappedController] })).rejects.toThrow(
      'Cannot start: WrappedController.report has rules that Nest does not see, as the constructor replaces the method. Wrap it in a method decorator that keeps the metadata.',
    );
  });
});
