const src = '^libs/redis-session/src';

/** The layers of docs/architecture.md: who may import whom. */
module.exports = {
  forbidden: [
    {
      name: 'session-is-the-bottom-layer',
      severity: 'error',
      from: { path: `${src}/session/` },
      to: { path: `${src}/(security|redis|http|nest)/` },
    },
    {
      name: 'security-needs-only-session',
      severity: 'error',
      from: { path: `${src}/security/` },
      to: { path: `${src}/(redis|http|nest)/` },
    },
    {
      name: 'redis-needs-only-session',
      severity: 'error',
      from: { path: `${src}/redis/` },
      to: { path: `${src}/(security|http|nest)/` },
    },
    {
      name: 'redis-is-a-plugin',
      severity: 'error',
      from: { path: `${src}/(session|security|http)/` },
      to: { path: `${src}/(redis|nest)/` },
    },
    {
      name: 'ioredis-only-in-redis',
      severity: 'error',
      from: { path: src, pathNot: `${src}/(redis|nest)/` },
      to: { path: 'node_modules/ioredis' },
    },
    {
      name: 'nest-only-in-nest',
      severity: 'error',
      from: { path: `${src}/(session|security|redis|http)/` },
      to: { path: 'node_modules/@nestjs' },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'default'] },
  },
};
