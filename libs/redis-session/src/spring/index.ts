export { springSession } from './spring-session.feature.js';
export {
  springRoles,
  type SpringAuthorities,
  type SpringPrincipals,
  type SpringSessionOptions,
} from './spring.options.js';
export { forgetRememberMe, type RememberMeCookieOptions } from './remember-me-cookie.js';
export { JavaValue, javaClassOf, ofJavaClass } from './java-value.js';
export { type JavaClasses, type JavaFieldType } from './json/java-types.js';
