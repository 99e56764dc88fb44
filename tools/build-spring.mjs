// Builds examples/spring-interop for both generations of Spring Boot, unless each build is newer than its sources. The first time
// Maven downloads Spring, which takes minutes.
import { buildBoth } from './demo-spring/build.mjs';

try {
  for (const boot of [4, 3]) await buildBoth(boot);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
