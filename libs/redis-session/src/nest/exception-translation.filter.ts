import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { throwError } from 'rxjs';
import { type ExceptionTranslator } from './exception-translator.js';
import { LoginRedirect } from './login-redirect.js';
import { findSecurityException } from './security.exceptions.js';

/** Matches exceptions that have a security exception in their chain of causes, and no others: those stay with the app. */
class SecurityExceptionMatcher {
  static [Symbol.hasInstance](error: unknown): boolean {
    return error instanceof LoginRedirect || findSecurityException(error) !== undefined;
  }
}

/** Hands security exceptions of HTTP routes to the {@link ExceptionTranslator}; of messages, back to their transport. */
@Catch(SecurityExceptionMatcher)
export class ExceptionTranslationFilter implements ExceptionFilter {
  constructor(private readonly translator: ExceptionTranslator) {}

  catch(exception: Error, host: ArgumentsHost): unknown {
    if (this.translator.translate(exception, host)) return undefined;
    const type: string = host.getType();
    if (type === 'rpc') return throwError(() => exception);
    if (type !== 'ws') return exception;
    const client = host.switchToWs().getClient<WebSocketClient>();
    const problem = { status: 'error', message: findSecurityException(exception)?.message };
    // socket.io has `emit` to the client; `ws` has `send`, and its `emit` stays in this process.
    if (client.send && !client.nsp)
      client.send(JSON.stringify({ event: 'exception', data: problem }));
    else client.emit?.('exception', problem);
    return undefined;
  }
}

interface WebSocketClient {
  readonly nsp?: unknown;
  emit?(event: string, data: unknown): void;
  send?(data: string): void;
}
