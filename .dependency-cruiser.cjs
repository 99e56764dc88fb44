const src = '^libs/redis-session/src';

/** The entries that stand on top of the core. */
const entries = '(express-session|migration|mongo|postgres|spring|testing)';

/** The layers of docs/architecture.md: who may import whom. */
module.exports = {
  forbidden: [
    {
      name: 'lib-knows-nothing-of-sessions',
      severity: 'error',
      from: { path: `${src}/lib/` },
      to: { path: `${src}/`, pathNot: `${src}/(lib/|session/session\\.errors)` },
    },
    {
      name: 'session-stands-on-lib-alone',
      severity: 'error',
      from: { path: `${src}/session/`, pathNot: '\\.spec\\.ts$' },
      to: { path: `${src}/`, pathNot: `${src}/(lib|session)/` },
    },
    {
      name: 'security-stands-on-session',
      severity: 'error',
      from: { path: `${src}/security/` },
      to: { path: `${src}/`, pathNot: `${src}/(lib|session|security)/` },
    },
    {
      name: 'redis-stands-on-session',
      severity: 'error',
      from: { path: `${src}/redis/` },
      to: { path: `${src}/`, pathNot: `${src}/(lib|session|redis)/` },
    },
    {
      name: 'http-stands-on-security',
      severity: 'error',
      from: { path: `${src}/http/` },
      to: { path: `${src}/`, pathNot: `${src}/(lib|session|security|http)/` },
    },
    {
      name: 'nothing-imports-an-entry',
      severity: 'error',
      from: { path: `${src}/`, pathNot: [`${src}/${entries}/`, '\\.spec\\.ts$'] },
      to: { path: `${src}/${entries}/` },
    },
    {
      name: 'an-entry-imports-no-other-entry',
      severity: 'error',
      from: { path: `${src}/${entries}/` },
      to: { path: `${src}/${entries}/`, pathNot: `${src}/$1/` },
    },
    {
      name: 'ioredis-only-where-redis-is',
      severity: 'error',
      from: { path: src, pathNot: `${src}/(redis|nest|migration|spring)/` },
      to: { path: 'node_modules/ioredis' },
    },
    {
      name: 'pg-only-where-postgres-is',
      severity: 'error',
      from: { path: src, pathNot: `${src}/postgres/` },
      to: { path: 'node_modules/(@types/)?pg/' },
    },
    {
      name: 'mongodb-only-where-mongo-is',
      severity: 'error',
      from: { path: src, pathNot: `${src}/mongo/` },
      to: { path: 'node_modules/mongodb/' },
    },
    {
      name: 'nest-only-in-nest-and-entries',
      severity: 'error',
      from: { path: `${src}/(lib|session|security|redis|http)/` },
      to: { path: 'node_modules/@nestjs' },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/|^libs/[^/]+/build/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'default'] },
  },
};
