import {
  type ExecutionContext,
  Inject,
  Injectable,
  type PipeTransform,
  createParamDecorator,
  type CanActivate,
} from '@nestjs/common';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { type AccessDenial } from '../../http/answers/access-denied-handler.js';
import { keepOutOfSharedCaches } from '../../http/response/cache-control.js';
import { SessionRequest } from '../../http/request/session-request.js';
import { CSRF_SECRET_ATTRIBUTE } from '../../session/attributes/attribute-names.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { findRequest, rawRequestOf, securityContextOf } from '../call-context.js';
import { type ResolvedOptions } from '../options/redis-session.options.js';
import { type ResolvedCsrfOptions } from '../options/security.options.js';
import { RESOLVED_OPTIONS } from '../redis-session.module-definition.js';
import { CsrfException } from './security.exceptions.js';

/** @returns 256 random bits in base64url: nobody guesses them */
export function createCsrfSecret(): string {
  return randomBytes(32).toString('base64url');
}

/**
 * Makes a token of `secret` that is never twice the same: a random pad, followed by the secret XOR the pad. Compressed pages of
 * which an attacker controls a part give away a constant secret by their length (BREACH). Mirrors
 * `XorCsrfTokenRequestAttributeHandler` of Spring Security: applications that share the sessions accept the tokens.
 */
export function maskCsrfSecret(secret: string): string {
  const bytes = Buffer.from(secret);
  const pad = randomBytes(bytes.length);
  return Buffer.concat([pad, xor(bytes, pad)]).toString('base64url');
}

/** Whether `token` was made of `secret`. Takes the same time for every token of the right length. */
export function isCsrfToken(token: unknown, secret: unknown): boolean {
  if (typeof token !== 'string' || typeof secret !== 'string') return false;
  const bytes = Buffer.from(token, 'base64url');
  const expected = Buffer.from(secret);
  if (bytes.length !== 2 * expected.length || expected.length === 0) return false;
  const pad = bytes.subarray(0, expected.length);
  return timingSafeEqual(xor(bytes.subarray(expected.length), pad), expected);
}

function xor(bytes: Buffer, pad: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, index) => byte ^ (pad[index] ?? 0)));
}

/** The usual case: the user has logged in or out since the page was made. */
const INVALID_TOKEN: AccessDenial = {
  detail: 'The CSRF token is not one of your session. Load the page again for a new one.',
  reason: 'invalid-csrf-token',
};

/** What a form or a script sends its token with. */
interface RequestWithToken {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Gives pages the tokens that their forms must send back, and recognises them. See the option `security.csrf`. */
@Injectable()
export class CsrfTokenService {
  constructor(@Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions) {}

  /**
   * A token of the session of a request of the platform, another one at each call; all count until the user logs in or out. A
   * visitor without a session gets one: call it for pages that have a form, not for all. The response gets `no-store`, or what
   * `security.cacheControl` says.
   *
   * @throws SessionOptionError when the route is excluded from sessions
   */
  async tokenOf(request: object): Promise<string> {
    const sessionRequest = SessionRequest.of(rawRequestOf(request));
    const session = await sessionRequest?.getSession();
    if (!sessionRequest || !session) {
      throw new SessionOptionError(
        'Cannot make a CSRF token: the route is excluded from sessions. Take it out of the option exclude.',
      );
    }
    const stored = session.getAttribute<string>(CSRF_SECRET_ATTRIBUTE);
    const secret = stored ?? createCsrfSecret();
    if (stored === undefined) session.setAttribute(CSRF_SECRET_ATTRIBUTE, secret);
    const { security } = this.options;
    if (security) keepOutOfSharedCaches(sessionRequest.response, security.cacheControl);
    return maskCsrfSecret(secret);
  }

  /** Whether `request` sends a token of its own session, as a header or as a field of its body. */
  async hasToken(request: object): Promise<boolean> {
    const sessionRequest = SessionRequest.of(rawRequestOf(request));
    const session = await sessionRequest?.getSession({ create: false });
    const secret = session?.getAttribute(CSRF_SECRET_ATTRIBUTE);
    return isCsrfToken(this.sentToken(request), secret);
  }

  /** Says why {@link hasToken} is false, and what to send. @param places - of a token; plain text. @internal */
  denialOf(request: object, places: string): AccessDenial {
    if ((this.sentToken(request) ?? '') !== '') return INVALID_TOKEN;
    const detail = `The CSRF token is missing. Send one of your session as ${places}.`;
    return { detail, reason: 'missing-csrf-token' };
  }

  private sentToken({ body, headers = {} }: RequestWithToken): unknown {
    const { security } = this.options;
    if (!security || !security.csrf) return undefined;
    const { headerName, parameter } = security.csrf;
    const header = headers[headerName.toLowerCase()];
    if (header !== undefined || typeof body !== 'object' || body === null) return header;
    return Object.hasOwn(body, parameter)
      ? (body as Record<string, unknown>)[parameter]
      : undefined;
  }
}

/** The service is only known to what Nest builds: a pipe is. */
@Injectable()
class CsrfTokenPipe implements PipeTransform {
  constructor(@Inject(CsrfTokenService) private readonly tokens: CsrfTokenService) {}

  transform(request: object): Promise<string> {
    return this.tokens.tokenOf(request);
  }
}

const RequestOfContext = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  findRequest(context),
);

/** Injects the token that a form of the page must send back. See the option `security.csrf`. */
export const CsrfToken = (): ParameterDecorator => RequestOfContext(CsrfTokenPipe);

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
    const { method = '' } = rawRequest;
    // It came over a WebSocket: there is no user whose rights it could abuse.
    const isOfSocket = method === '' && isSubscription(context);
    if (isOfSocket && !(await securityContextOf(context)).authentication) return true;
    if (SAFE_METHODS.includes(method) || this.options.isExempt(rawRequest)) return true;
    if (await this.tokens.hasToken(request)) return true;
    const { headerName, parameter } = this.options;
    const places = `the header ${headerName}, or as the field ${parameter} if the body is not multipart`;
    const target = `${context.getClass().name}.${context.getHandler().name}`;
    throw new CsrfException(this.tokens.denialOf(request, places), target);
  }
}

/** @param context - of HTTP or of GraphQL, whose fourth argument tells of the operation */
function isSubscription(context: ExecutionContext): boolean {
  const info = context.getArgByIndex<{ operation?: { operation?: string } } | undefined>(3);
  return info?.operation?.operation === 'subscription';
}
