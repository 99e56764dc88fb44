import config from './jest.config.js';

/** `npm run test:nginx`: what needs a newer nginx than Debian's, which is built with cargo. `npm test` leaves it out. */
export default {
  ...config,
  testMatch: ['<rootDir>/test/nginx/**/*{.,-}spec.ts'],
  testPathIgnorePatterns: [],
  globalSetup: null,
  globalTeardown: null,
};
