import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { type Observable } from 'rxjs';
import { isMessage, runInMessageContext } from './message-context.js';

/** Has handlers of WebSocket and microservice messages run in the security context of who sent them. */
@Injectable()
export class MessageContextInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return isMessage(context) ? runInMessageContext(context, () => next.handle()) : next.handle();
  }
}
