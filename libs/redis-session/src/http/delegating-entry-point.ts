import { type AuthenticationFailureReason } from '../security/authentication-failure-reason.js';
import {
  type AuthenticationEntryPoint,
  type ExchangeMatcher,
} from './authentication-entry-point.js';
import { type HttpExchange } from './http-exchange.js';

/** Leaves the answer to the first entry point whose matcher says yes. Mirrors `DelegatingAuthenticationEntryPoint`. */
export class DelegatingEntryPoint implements AuthenticationEntryPoint {
  constructor(
    private readonly entryPoints: readonly (readonly [ExchangeMatcher, AuthenticationEntryPoint])[],
    private readonly defaultEntryPoint: AuthenticationEntryPoint,
  ) {}

  commence(exchange: HttpExchange, reason?: AuthenticationFailureReason): void {
    const match = this.entryPoints.find(([matches]) => matches(exchange));
    (match?.[1] ?? this.defaultEntryPoint).commence(exchange, reason);
  }
}
