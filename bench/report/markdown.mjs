import { judgeCounts } from './count-rules.mjs';
import { judgeTimes } from './targets.mjs';
import { spreadOf } from './statistics.mjs';

/** Columns of a scenario's table: heading, figure of a run, digits. */
const COLUMNS = [
  ['server CPU µs', (run) => run.serverCpuUs, 0],
  ['Redis CPU µs', (run) => run.redisCpuUs, 1],
  ['of it in commands µs', (run) => run.redisCommandUs, 1],
  ['bytes to Redis', (run) => run.bytesIn, 0],
  ['bytes from Redis', (run) => run.bytesOut, 0],
  ['p50 ms', (run) => run.p50Us / 1000, 2],
  ['p99 ms', (run) => run.p99Us / 1000, 2],
];

/**
 * What a run of the benchmark has found.
 *
 * @typedef {object} Report
 * @property {readonly string[]} facts - machine, versions, command, date
 * @property {readonly string[]} absent - who could not take part, and why
 * @property {readonly import('../contestants.mjs').ContestantSpec[]} contestants
 * @property {readonly import('../scenarios.mjs').Scenario[]} scenarios
 * @property {Record<string, Record<string, import('../measure/counts.mjs').Counts>>} counts
 * @property {import('./statistics.mjs').Results} results
 */

/** @returns {string} the whole report, in Markdown */
export function toMarkdown(/** @type {Report} */ report) {
  return (
    [
      '# Results',
      ...report.facts.map((fact) => `- ${fact}`),
      ...report.absent.map((sentence) => `- ${sentence}`),
      '\n## Goals\n',
      `Ours is the one called *lean*: \`interceptor: false\` and \`security: { contextHolder: false }\`, because no other contestant has an interceptor or tells any code who its user is.\n`,
      targetTable(report),
      '\n## Commands and bytes of one request\n',
      countTable(report),
      ...report.scenarios.flatMap((scenario) => scenarioSection(report, scenario)),
      '\n## Settings\n',
      ...report.contestants.map(
        ({ label, platform, settings }) => `- ${label} (${platform}): ${settings}`,
      ),
    ].join('\n') + '\n'
  );
}

/** @returns {string} */
const VERDICTS = new Map([
  [true, 'met'],
  [false, '**not met**'],
  [undefined, ''],
]);

function targetTable({ results, counts }) {
  const ratios = judgeTimes(results)
    .filter(({ value }) => value !== undefined)
    .map(({ label, before, target, value, isMet }) => [
      ...[label, before, target, ratioText(value), isMet],
    ]);
  const limits = judgeCounts(counts).map(({ label, limit, value, isMet }) => [
    ...[label, '', `≤ ${limit}`, value, isMet],
  ]);
  const rows = [...ratios, ...limits];
  return rows.length === 0
    ? 'None: who is compared did not take part.'
    : table(
        ['figure', 'before', 'goal', 'measured: median (min – max)', 'verdict'],
        rows.map(([label, before, target, value, isMet]) => [
          ...[label, before, target, value, VERDICTS.get(isMet)],
        ]),
      );
}

/** @returns {string} */
export function countTable({ counts, contestants }) {
  const operations = [...new Set(Object.values(counts).flatMap((byName) => Object.keys(byName)))];
  const withSessions = contestants.filter(({ id }) => counts[id]?.read);
  const rows = operations.flatMap((operation) =>
    withSessions.map(({ id, label, platform }) => {
      const { commands, names, bytesIn, bytesOut } = counts[id][operation];
      return [operation, `${label} (${platform})`, commands, names, bytesIn, bytesOut];
    }),
  );
  return table(
    ['operation', 'contestant', 'commands', 'names', 'bytes to Redis', 'bytes from Redis'],
    rows,
  );
}

function scenarioSection({ results, contestants }, scenario) {
  const cells = results.cells.filter((cell) => cell.scenario === scenario.id);
  if (cells.length === 0) return [];
  const rows = cells.map((cell) => {
    const spec = contestants.find(({ id }) => id === cell.contestant);
    const platform = spec.platform === 'fastify' ? 'fastify' : 'express';
    const ours = results.cell(`${platform}-ours-lean`, cell.scenario, cell.connections);
    const ratio = results.ratio(cell, ours, (run) => run.perSecond);
    return [
      spec.platform,
      spec.label,
      cell.connections,
      spreadText(spreadOf(cell.runs.map((run) => run.perSecond)), 0),
      ratio ? ratioText(ratio) : '',
      cell.commands?.toFixed(2) ?? '',
      ...COLUMNS.map(([, figure, digits]) => spreadText(spreadOf(cell.runs.map(figure)), digits)),
    ];
  });
  const head = [
    'platform',
    'contestant',
    'connections',
    'requests/s',
    '× ours, lean',
    'commands to Redis',
    ...COLUMNS.map(([name]) => name),
  ];
  return [
    `\n## ${scenario.label}\n`,
    `\`${scenario.method} ${scenario.path}\`\n`,
    table(head, rows),
  ];
}

function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function ratioText(spread) {
  return spreadText(spread, 2);
}

function spreadText({ median, min, max }, digits) {
  return `${median.toFixed(digits)} (${min.toFixed(digits)} – ${max.toFixed(digits)})`;
}
