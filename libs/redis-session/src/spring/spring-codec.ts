import { type SecurityContext } from '../security/security-context.js';
import {
  CSRF_SECRET_ATTRIBUTE,
  SECURITY_CONTEXT_ATTRIBUTE,
} from '../session/attributes/attribute-names.js';
import { type SessionCodec } from '../session/attributes/codec.js';
import { javaJson, ofJavaClass } from './java-json.js';
import { type SpringContext } from './spring-context.js';

const CSRF_TOKEN = 'org.springframework.security.web.csrf.DefaultCsrfToken';

/** The header and the field that carry the CSRF token. */
export interface SpringCsrfNames {
  readonly headerName: string;
  readonly parameter: string;
}

/** Attributes as Spring's JSON serializer reads and writes them: the login and the CSRF token in Spring's own classes. */
export function springCodec(context: SpringContext, csrf: SpringCsrfNames): SessionCodec {
  const { headerName, parameter } = csrf;
  return {
    encode(value, name) {
      if (name === SECURITY_CONTEXT_ATTRIBUTE)
        return context.encode(value as SecurityContext, name);
      if (name !== CSRF_SECRET_ATTRIBUTE) return javaJson.encode(value, name);
      const token = { headerName, parameterName: parameter, token: value };
      return javaJson.encode(ofJavaClass(CSRF_TOKEN, token), name);
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
