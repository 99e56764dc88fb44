import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { throwError } from 'rxjs';
import { ExceptionTranslator } from './exception-translator.js';
import { isMessage } from '../messages/message-context.js';
import { AccessDeniedException, findSecurityException } from './security.exceptions.js';

/**
 * Matches exceptions that have a security exception in their chain of causes, and no others: those stay with the app. Nest
 * asks `instanceof` to choose a filter, and a filter that was chosen cannot pass an exception on. The question takes
 * 200 ns on Node 20 and 24, where two plain classes take 25, and a throw 14,000.
 */
class SecurityExceptionMatcher {
  static [Symbol.hasInstance](error: unknown): boolean {
    return findSecurityException(error) !== undefined;
  }
}

/** Hands security exceptions of HTTP routes to the {@link ExceptionTranslator}; of messages, back to their transport. */
@Catch(SecurityExceptionMatcher)
export class ExceptionTranslationFilter implements ExceptionFilter {
  constructor(private readonly translator: ExceptionTranslator) {}

  catch(exception: Error, host: ArgumentsHost): unknown {
    if (this.translator.translate(exception, host)) return undefined;
    if (!isMessage(host)) return exception;
    const problem = messageProblem(exception);
    if (host.getType() === 'rpc') return throwError(() => problem);
    emitTo(host.switchToWs().getClient(), {
      ...problem,
      cause: { pattern: host.switchToWs().getPattern() },
    });
    return undefined;
  }
}

/** What the sender of a message is told, in the form of Nest's own: `status` is always `error`. */
interface MessageProblem {
  readonly status: 'error';
  readonly code: 'UNAUTHENTICATED' | 'FORBIDDEN';
  readonly message: string;
}

function messageProblem(exception: unknown): MessageProblem {
  const cause = findSecurityException(exception);
  return cause instanceof AccessDeniedException
    ? { status: 'error', code: 'FORBIDDEN', message: cause.message }
    : { status: 'error', code: 'UNAUTHENTICATED', message: cause?.message ?? 'Log in first.' };
}

interface WebSocketClient {
  readonly readyState?: number;
  emit?(event: string, data: unknown): void;
  send?(data: string): void;
}

/** Only sockets of `ws` have a `readyState`; they do have an `emit`, too, but that stays in this process. */
function emitTo(client: WebSocketClient, data: object): void {
  if (typeof client.readyState === 'number') {
    client.send?.(JSON.stringify({ event: 'exception', data }));
  } else {
    client.emit?.('exception', data);
  }
}
