import { type CanActivate, type ExecutionContext } from '@nestjs/common';
import { type ResolvedCsrfOptions } from '../options/security.options.js';
import { type CsrfTokenService } from './csrf-token.service.js';
import { findRequest } from '../messages/message-context.js';
import { rawRequestOf } from '../http-platform.js';
import { CsrfException } from './security.exceptions.js';

/** Requests that change nothing (RFC 9110 §9.2.1); GraphQL refuses mutations by GET itself. */
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

/** Refuses requests that change something and do not send a token of their session. Mirrors `CsrfFilter` of Spring Security. */
export class CsrfGuard implements CanActivate {
  constructor(
    private readonly options: ResolvedCsrfOptions,
    private readonly tokens: CsrfTokenService,
  ) {}

  /** @throws CsrfException */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = findRequest(context);
    if (!request) return true;
    const rawRequest = rawRequestOf(request);
    const isSafe = SAFE_METHODS.includes(rawRequest.method ?? '');
    if (isSafe || this.options.isExempt(rawRequest)) return true;
    if (await this.tokens.hasToken(request)) return true;
    throw new CsrfException(
      'The request does not come from a page of this site.',
      `${context.getClass().name}.${context.getHandler().name}`,
    );
  }
}
