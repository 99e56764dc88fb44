export { springSession } from './spring-session.feature.js';
export {
  springRoles,
  type SpringAuthorities,
  type SpringPrincipals,
  type SpringSessionOptions,
} from './spring.options.js';
export { JavaValue, javaClassOf, ofJavaClass } from './java-json.js';
