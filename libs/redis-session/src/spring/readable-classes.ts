import { type ReadableClasses } from './java-json.js';
import { type ResolvedSpringOptions } from './spring.options.js';

/** What Spring Security 6.5 and 7.0 read without a word of the application. */
const OF_BOTH = [
  'java.lang.Long', // by the configuration of docs/spring.md
  'java.time.Instant',
  'java.util.ArrayList',
  'java.util.Arrays$ArrayList',
  'java.util.Collections$EmptyList',
  'java.util.Collections$EmptyMap',
  'java.util.Collections$SingletonList',
  'java.util.Collections$UnmodifiableRandomAccessList',
  'java.util.Collections$UnmodifiableSet',
  'java.util.Date',
  'java.util.HashMap',
  'java.util.LinkedHashMap',
  'java.util.TreeMap',
];
const OF_BOOT_4 = ['java.util.HashSet', 'java.util.LinkedHashSet'];
const OF_SPRING_SECURITY = 'org.springframework.security.';

/** The classes that a Spring application can read: those of Java and of Spring Security, and those of the option `classes`. */
export function readableClasses({
  boot,
  classes = [],
}: Pick<ResolvedSpringOptions, 'boot'> &
  Partial<Pick<ResolvedSpringOptions, 'classes'>>): ReadableClasses {
  const known = new Set([...OF_BOTH, ...(boot === 4 ? OF_BOOT_4 : []), ...classes]);
  const packages = [OF_SPRING_SECURITY, ...classes.filter((name) => name.endsWith('.'))];
  return (className) =>
    known.has(className) || packages.some((prefix) => className.startsWith(prefix));
}
