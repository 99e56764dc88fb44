import { availableParallelism } from 'node:os';

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  // The setters that Jest puts on what outlives a file call themselves until the stack overflows.
  testEnvironmentOptions: { globalsCleanup: 'off' },
  extensionsToTreatAsEsm: ['.ts'],
  testMatch: ['<rootDir>/{libs,apps,test}/**/*{.,-}spec.ts'],
  modulePathIgnorePatterns: ['/dist/', '<rootDir>/libs/[^/]+/build/'],
  // They need servers that are built: jest.mongo.config.js, jest.nginx.config.js.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/(mongo|nginx)/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
  moduleNameMapper: {
    '^nestjs-redis-session$': '<rootDir>/libs/redis-session/src/index.ts',
    '^nestjs-redis-session/(http|store)$': '<rootDir>/libs/redis-session/src/$1.ts',
    '^nestjs-redis-session/(express-session|migration|mongo|postgres|spring|testing)$':
      '<rootDir>/libs/redis-session/src/$1/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  // For a busy machine, where a test may take four times as long: none takes that long by itself.
  testTimeout: 180_000,
  testSequencer: '<rootDir>/test/support/slowest-first.js',
  // Half of the time of a test is waiting for a server, a deadline or an end.
  maxWorkers: 2 * availableParallelism(),
  workerIdleMemoryLimit: '1GB',
};
