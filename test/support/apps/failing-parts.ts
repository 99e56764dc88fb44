import {
  type CallHandler,
  type CanActivate,
  ConflictException,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  type MiddlewareConsumer,
  Module,
  type NestInterceptor,
  type NestMiddleware,
  type NestModule,
  type PipeTransform,
  Post,
  Query,
  Res,
  UnauthorizedException,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { AccessDeniedException, AuthenticationException } from 'nestjs-redis-session';
import { type Observable, tap } from 'rxjs';

/** What can go wrong; the messages must not be told to anybody. */
const FAILURES: Record<string, () => Error> = {
  authentication: () => new AuthenticationException('secret detail'),
  denied: () => new AccessDeniedException('secret detail'),
  'cause-authentication': () =>
    new Error('outer', { cause: new Error('middle', { cause: new AuthenticationException() }) }),
  'cause-denied': () => new ConflictException('outer', { cause: new AccessDeniedException() }),
  'denied-by-authentication': () =>
    Object.assign(new AccessDeniedException(), { cause: new AuthenticationException() }),
  cyclic: () => {
    const error = new Error('turns in circles');
    return Object.assign(error, { cause: new Error('inner', { cause: error }) });
  },
  unauthorized: () => new UnauthorizedException('of the application'),
  conflict: () => new ConflictException('taken'),
  bug: () => new TypeError('a bug'),
};

function fail(name: unknown): void {
  const failure = typeof name === 'string' ? FAILURES[name] : undefined;
  if (failure) throw failure();
}

@Injectable()
class FailingGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    fail(context.switchToHttp().getRequest<{ query: { how?: string } }>().query.how);
    return true;
  }
}

@Injectable()
class FailingPipe implements PipeTransform {
  transform(value: unknown): unknown {
    fail(value);
    return value;
  }
}

@Injectable()
class FailingInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { query } = context.switchToHttp().getRequest<{ query: { how?: string } }>();
    return next.handle().pipe(tap(() => fail(query.how)));
  }
}

@Injectable()
class FailingMiddleware implements NestMiddleware {
  use(request: { originalUrl?: string; url: string }, _response: unknown, next: () => void): void {
    fail(new URL(request.originalUrl ?? request.url, 'http://x').searchParams.get('how'));
    next();
  }
}

/** Fails in the way that the query's `how` names, in the place that the path names. */
@Controller('fail')
export class FailingController {
  @Get('guard')
  @UseGuards(FailingGuard)
  guard(): void {
    return undefined;
  }

  @Get('pipe')
  pipe(@Query('how', FailingPipe) how: string): string {
    return how;
  }

  @Get('handler')
  handler(@Query('how') how: string): void {
    fail(how);
  }

  @Post('handler')
  form(@Query('how') how: string): void {
    fail(how);
  }

  @Get('later')
  async later(@Query('how') how: string): Promise<void> {
    await Promise.resolve();
    fail(how);
  }

  @Get('interceptor')
  @UseInterceptors(FailingInterceptor)
  interceptor(): void {
    return undefined;
  }

  @Get('middleware')
  middleware(): void {
    return undefined;
  }

  @Get('committed')
  committed(@Res() response: { raw?: NodeJS.WritableStream } & NodeJS.WritableStream): void {
    (response.raw ?? response).write('the first half');
    throw new AuthenticationException();
  }

  @Get('complete')
  complete(@Res() response: { send(body: string): void }): void {
    response.send('all of it');
    throw new AccessDeniedException();
  }
}

/** Puts a middleware that fails before one route. */
@Module({})
export class FailingMiddlewareModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(FailingMiddleware).forRoutes('fail/middleware');
  }
}
