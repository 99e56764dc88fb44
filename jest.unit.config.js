import config from './jest.config.js';

/** The specs beside the sources: they need no server. @type {import('jest').Config} */
export default {
  ...config,
  testMatch: ['<rootDir>/libs/**/*.spec.ts'],
  globalSetup: null,
  globalTeardown: null,
};
