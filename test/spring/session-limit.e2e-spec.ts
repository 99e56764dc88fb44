import { describe } from '@jest/globals';
import { describeSessionLimit } from './cases/indexed.cases.js';
import { useSpringApps } from './spring-stack.js';

describe.each([4, 3] as const)('Spring Boot %d with a session limit, beside Nest', (boot) => {
  describeSessionLimit(useSpringApps({ boot, repository: 'indexed', maximumSessions: 1 }));
});
