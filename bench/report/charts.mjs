import { barChart } from './chart.mjs';

const CHARTS = [
  ['no-cookie', (run) => run.perSecond, 'requests per second'],
  ['read', (run) => run.perSecond, 'requests per second'],
  ['read', (run) => run.serverCpuUs, 'server CPU, µs per request (shorter is better)', 'read-cpu'],
  ['change-10kB', (run) => run.perSecond, 'requests per second'],
  ['change-100kB', (run) => run.perSecond, 'requests per second'],
  ['login-logout', (run) => run.perSecond, 'requests per second'],
];

/**
 * Draws what the tables say.
 *
 * @returns {Record<string, string>} SVG by file name
 */
export function drawCharts(/** @type {import('./markdown.mjs').Report} */ report) {
  const drawn = CHARTS.map(([id, figure, unit, name = id]) => {
    const bars = barsOf(report, id, figure);
    const scenario = report.scenarios.find((candidate) => candidate.id === id);
    return bars.length === 0 ? undefined : [`${name}.svg`, barChart(scenario.label, unit, bars)];
  });
  return Object.fromEntries(drawn.filter((chart) => chart !== undefined));
}

function barsOf({ results, contestants }, scenario, figure) {
  return contestants.flatMap(({ id, label, platform, kind }) => {
    const cell = results.cell(id, scenario);
    if (!cell) return [];
    const isSpring = platform === 'spring';
    return [
      {
        label: isSpring ? label : `${label} · ${platform}`,
        isOurs: kind === 'ours',
        values: cell.runs.map(figure),
      },
    ];
  });
}
