import { type SecurityContext } from '../security/security-context.js';
import {
  CSRF_SECRET_ATTRIBUTE,
  SAVED_REQUESTS_ATTRIBUTE,
  SECURITY_CONTEXT_ATTRIBUTE,
} from '../session/attributes/attribute-names.js';
import { type SessionCodec } from '../session/attributes/codec.js';
import { SessionEncodingError } from '../session/session.errors.js';
import { javaClassOf, ofStoredClass } from './java-value.js';
import { javaJson } from './json/java-json.js';
import { type SpringContext } from './spring-context.js';

/** Holds a user's name where Spring Security is not used, and for its index. */
export const PRINCIPAL_NAME_ATTRIBUTE =
  'org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME';

/** Spring sets it to true when a newer login has taken the place of the session. */
export const EXPIRED_ATTRIBUTE =
  'org.springframework.session.security.SpringSessionBackedSessionInformation.EXPIRED';

/** What Spring calls the attributes that both sides understand. */
const SPRING_NAMES: ReadonlyMap<string, string> = new Map([
  [
    CSRF_SECRET_ATTRIBUTE,
    'org.springframework.security.web.csrf.HttpSessionCsrfTokenRepository.CSRF_TOKEN',
  ],
  [SAVED_REQUESTS_ATTRIBUTE, 'SPRING_SECURITY_SAVED_REQUEST'],
  [SECURITY_CONTEXT_ATTRIBUTE, 'SPRING_SECURITY_CONTEXT'],
]);
const OWN_NAMES: ReadonlyMap<string, string> = new Map(
  [...SPRING_NAMES].map(([own, spring]) => [spring, own]),
);

/** What Spring calls the attribute. */
export function springNameOf(name: string): string {
  return SPRING_NAMES.get(name) ?? name;
}

/** What this library calls the attribute. */
export function ownNameOf(springName: string): string {
  return OWN_NAMES.get(springName) ?? springName;
}

const CSRF_TOKEN = 'org.springframework.security.web.csrf.DefaultCsrfToken';
/** The class of a saved page. */
export const SAVED_REQUEST = 'org.springframework.security.web.savedrequest.DefaultSavedRequest';

/** The header and the field that carry the CSRF token. */
export interface SpringCsrfNames {
  readonly headerName: string;
  readonly parameter: string;
}

/**
 * Spring casts what it finds under some names, and answers 500 to another class.
 *
 * @throws SessionEncodingError
 */
export function refuseMisuse(value: unknown, name: string): void {
  if (OWN_NAMES.has(name))
    throw SessionEncodingError.create(
      name,
      'has a name that Spring uses itself',
      'Choose another name.',
    );
  const needsText = name === CSRF_SECRET_ATTRIBUTE || name === PRINCIPAL_NAME_ATTRIBUTE;
  if (needsText && typeof value !== 'string')
    throw SessionEncodingError.create(
      name,
      'must be a text, because Spring takes it for one',
      'Store a text.',
    );
  if (name === CSRF_SECRET_ATTRIBUTE && value === '')
    throw SessionEncodingError.create(
      name,
      'must not be empty, because Spring refuses an empty token',
      'Store a random text.',
    );
  if (name === SAVED_REQUESTS_ATTRIBUTE && javaClassOf(value) !== SAVED_REQUEST)
    throw SessionEncodingError.create(
      name,
      'is kept for the page to which a login leads',
      'Choose another name.',
    );
}

/** Attributes as Spring's JSON serializer reads and writes them: the login and the CSRF token in Spring's own classes. */
export function springCodec(context: SpringContext, csrf: SpringCsrfNames): SessionCodec {
  const { headerName, parameter } = csrf;
  const { types } = context;
  return {
    encode(value, name) {
      if (name === SECURITY_CONTEXT_ATTRIBUTE)
        return context.encode(value as SecurityContext, name);
      refuseMisuse(value, name);
      if (name !== CSRF_SECRET_ATTRIBUTE) return javaJson.encode(value, name, types);
      const token = { headerName, parameterName: parameter, token: value };
      return javaJson.encode(ofStoredClass(CSRF_TOKEN, token), name, types);
    },

    decode(text, name) {
      if (name === SECURITY_CONTEXT_ATTRIBUTE) return context.decode(text);
      const value = javaJson.decode(text);
      return name === CSRF_SECRET_ATTRIBUTE ? csrfSecretOf(value) : value;
    },
  };
}

/** @param token - as Spring has stored it. @returns undefined for what is none */
export function csrfSecretOf(token: unknown): string | undefined {
  const { token: secret } = (token ?? {}) as { readonly token?: unknown };
  return typeof secret === 'string' && secret !== '' ? secret : undefined;
}
