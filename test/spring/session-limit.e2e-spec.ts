import { describe } from '@jest/globals';
import { describeRejectedLogins, describeSessionLimit } from './cases/indexed.cases.js';
import { useSpringApps } from './spring-stack.js';

describe.each([4, 3] as const)('Spring Boot %d with a session limit, beside Nest', (boot) => {
  describeSessionLimit(useSpringApps({ boot, repository: 'indexed', maximumSessions: 1 }));
});

describe.each([4, 3] as const)('Spring Boot %d that refuses logins beyond a limit', (boot) => {
  const limit = { maximumSessions: 1, preventsLogin: true };
  describeRejectedLogins(useSpringApps({ boot, repository: 'indexed', ...limit }));
});
