import { describe } from '@jest/globals';
import { describeAttributes } from './cases/attributes.cases.js';
import { describeIndexAndEvents } from './cases/indexed.cases.js';
import { describeRequestsInFlight } from './cases/requests-in-flight.cases.js';
import { useSpringApps } from './spring-stack.js';

describe('Spring Boot 3.5 with its indexed repository, beside Nest', () => {
  const apps = useSpringApps({ boot: 3, repository: 'indexed' });
  describeAttributes(apps);
  describeIndexAndEvents(apps);
  describeRequestsInFlight(apps);
});
