import { describe } from '@jest/globals';
import { describeAttributes } from './cases/attributes.cases.js';
import { describeContexts } from './cases/contexts.cases.js';
import { describeHops } from './cases/hops.cases.js';
import { describeKindsOfAttributes } from './cases/kinds-of-attributes.cases.js';
import { describeRequestsInFlight } from './cases/requests-in-flight.cases.js';
import { useSpringApps } from './spring-stack.js';

describe('Spring Boot 3.5 with its default repository, beside Nest', () => {
  const apps = useSpringApps({ boot: 3, repository: 'default' });
  describeAttributes(apps);
  describeKindsOfAttributes(apps);
  describeContexts(apps);
  describeHops(apps);
  describeRequestsInFlight(apps);
});
