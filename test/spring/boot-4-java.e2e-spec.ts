import { describe } from '@jest/globals';
import { describeJavaLogins } from './cases/java-logins.cases.js';
import { describeJavaSerialization } from './cases/java-serialization.cases.js';
import { describeKindsOfAttributes } from './cases/kinds-of-attributes.cases.js';
import { describeRequestsInFlight } from './cases/requests-in-flight.cases.js';
import { useAnotherNest, useSpringApps } from './spring-stack.js';

describe.each(['default', 'indexed'])(
  'Spring Boot 4 with Java serialization and its %s repository, beside Nest',
  (repository) => {
    const apps = useSpringApps({ boot: 4, repository, serialization: 'jdk' });
    describeJavaSerialization(apps);

    describe('that stores logins', () => {
      const storing = useAnotherNest(apps, { storesLogins: true });
      describeJavaLogins(storing);
      if (repository === 'default') describeKindsOfAttributes(storing);
      describeRequestsInFlight(storing);
    });
  },
);
