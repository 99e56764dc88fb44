import config from './jest.config.js';

/** `npm run test:mongo`: the tests of sessions in MongoDB, which `npm test` leaves out. */
export default {
  ...config,
  testMatch: ['<rootDir>/test/mongo/**/*{.,-}spec.ts'],
  testPathIgnorePatterns: [],
  globalSetup: '<rootDir>/test/support/mongo/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/mongo/global-teardown.ts',
};
