import { barChart } from './chart.mjs';

const throughput = (run) => run.perSecond;
const cpu = (run) => run.serverCpuUs;

/** Scenario, figure, what it is called, contestant that counts as 1, name of the file. */
const CHARTS = [
  ['no-cookie', throughput, 'requests per second', 'fastify-bare', 'no-cookie'],
  ['read', throughput, 'requests per second', 'fastify-floor', 'read'],
  ['read', cpu, 'server CPU of a request, shorter is better', 'fastify-floor', 'read-cpu'],
  ['change-10kB', throughput, 'requests per second', 'express-express-session', 'change-10kB'],
  ['change-100kB', throughput, 'requests per second', 'express-express-session', 'change-100kB'],
  ['login-logout', throughput, 'requests per second', 'express-express-session', 'login-logout'],
];

/**
 * Draws what the tables say, as ratios: each is taken within a round.
 *
 * @returns {Record<string, string>} SVG by file name
 */
export function drawCharts(/** @type {import('./markdown.mjs').Report} */ report) {
  const drawn = CHARTS.map(([id, figure, unit, baseId, name]) => {
    const base = report.results.cell(baseId, id);
    if (!base) return undefined;
    const scenario = report.scenarios.find((candidate) => candidate.id === id);
    const baseLabel = labelOf(report.contestants.find((contestant) => contestant.id === baseId));
    const bars = barsOf(report, id, (cell) => report.results.ratio(cell, base, figure));
    return [`${name}.svg`, barChart(scenario.label, `${unit}; ${baseLabel} = 1`, bars)];
  });
  return Object.fromEntries(drawn.filter((chart) => chart !== undefined));
}

function barsOf({ results, contestants }, scenario, ratioOf) {
  return contestants.flatMap((contestant) => {
    const cell = results.cell(contestant.id, scenario);
    if (!cell) return [];
    return [
      { label: labelOf(contestant), isOurs: contestant.kind === 'ours', spread: ratioOf(cell) },
    ];
  });
}

function labelOf({ label, platform }) {
  return platform === 'spring' ? label : `${label} · ${platform}`;
}
