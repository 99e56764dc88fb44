import { type AuthenticationKind } from '../security/authentication.js';
import { type Fields, fieldsOf, javaClassOf } from './java-value.js';
import { type ResolvedSpringOptions } from './spring.options.js';

const SECURITY = 'org.springframework.security';
export const CONTEXT = `${SECURITY}.core.context.SecurityContextImpl`;
export const USER = `${SECURITY}.core.userdetails.User`;
export const AUTHORITY = `${SECURITY}.core.authority.SimpleGrantedAuthority`;
export const FACTOR = `${SECURITY}.core.authority.FactorGrantedAuthority`;
export const LOGIN_TOKEN = `${SECURITY}.authentication.UsernamePasswordAuthenticationToken`;
export const REMEMBER_ME_TOKEN = `${SECURITY}.authentication.RememberMeAuthenticationToken`;
const PRE_AUTHENTICATED_TOKEN = `${SECURITY}.web.authentication.preauth.PreAuthenticatedAuthenticationToken`;
const ANONYMOUS_TOKEN = `${SECURITY}.authentication.AnonymousAuthenticationToken`;
export const SET = 'java.util.Collections$UnmodifiableSet';

/** Any number but 0, which Spring refuses. It is compared when somebody logs in by a token, and not afterwards. */
export const REMEMBER_ME_KEY_HASH = 1;

/** Classes of tokens, and what they say of the login. Others need the option `principal`. */
export const KINDS: ReadonlyMap<string | undefined, AuthenticationKind> = new Map([
  [LOGIN_TOKEN, 'full'],
  [PRE_AUTHENTICATED_TOKEN, 'full'],
  [REMEMBER_ME_TOKEN, 'remember-me'],
]);

/** Tokens that exist only after a login. Spring writes no `authenticated` into their JSON. */
const ALWAYS_AUTHENTICATED: ReadonlySet<string | undefined> = new Set([
  `${SECURITY}.oauth2.client.authentication.OAuth2AuthenticationToken`,
  `${SECURITY}.saml2.provider.service.authentication.Saml2Authentication`,
]);

/** The class of a login that is not remembered. @param token - the option `token` */
export function tokenClassOf(token: ResolvedSpringOptions['token'] = 'username-password'): string {
  return token === 'pre-authenticated' ? PRE_AUTHENTICATED_TOKEN : LOGIN_TOKEN;
}

/** @returns what the token says of itself, so anything, when it is not of Spring's own classes */
export function authenticatedOf(token: Fields): unknown {
  const tokenClass = javaClassOf(token);
  if (tokenClass === ANONYMOUS_TOKEN) return false;
  const { authenticated = ALWAYS_AUTHENTICATED.has(tokenClass) || undefined } = token;
  return authenticated;
}

/** The name and the principal of Spring's own classes. */
export function userFrom(
  principal: unknown,
  isKnownToken: boolean,
): { readonly name: string; readonly principal: unknown } | undefined {
  if (!isKnownToken) return undefined;
  if (typeof principal === 'string') return { name: principal, principal: { username: principal } };
  const fields = fieldsOf(principal);
  if (javaClassOf(fields) !== USER || typeof fields?.['username'] !== 'string') return undefined;
  return { name: fields['username'], principal: { username: fields['username'] } };
}

/** Epoch ms of the last factor; 0 = nobody knows, so that whoever asks for a fresh login gets one. */
export function latestFactorMs(granted: readonly Fields[]): number {
  const factors = granted.filter((each) => javaClassOf(each) === FACTOR);
  const times = factors.map(({ issuedAt }) => (typeof issuedAt === 'number' ? issuedAt * 1000 : 0));
  return Math.floor(Math.max(0, ...times));
}
