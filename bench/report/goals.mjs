import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { Results } from './statistics.mjs';
import { judgeTimes } from './targets.mjs';

const README = fileURLToPath(new URL('../README.md', import.meta.url));
const RESULTS = new URL('../results/', import.meta.url);
const BEGIN = '<!-- begin of the goals: written by npm run bench -->';
const END = '<!-- end of the goals -->';

/** What the columns are of, the newest of each that there is. */
const COLUMNS = [
  ['Node 20', ['results.json', 'node-20/results.json']],
  ['Node 24', ['node-24/results.json']],
];

/** Writes the table of goals into bench/README.md, from the results that are in bench/results. */
export async function writeGoals() {
  const readme = await readFile(README, 'utf8');
  const [head, rest] = readme.split(BEGIN);
  const tail = rest?.split(END)[1];
  if (tail === undefined) throw new Error(`Cannot write the goals: ${README} has lost "${BEGIN}".`);
  const text = [head, BEGIN, '\n\n', await goals(), '\n\n', END, tail].join('');
  const options = await resolveConfig(README);
  await writeFile(README, await format(text, { ...options, parser: 'markdown' }));
}

async function goals() {
  const runs = await Promise.all(COLUMNS.map(([, files]) => newestOf(files)));
  const outcomes = runs.map((run) => judgeTimes(new Results(run?.cells ?? [])));
  const rows = outcomes[0].map(({ label, before, target }, row) => [
    ...[label, before || '–', target],
    ...outcomes.map((column) => cellOf(column[row])),
  ]);
  const head = ['figure', 'before', 'goal', ...COLUMNS.map(([name]) => name)];
  const lines = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
  const facts = runs.flatMap((run, i) => (run ? [`${COLUMNS[i][0]}: ${run.facts[0]}`] : []));
  return [...facts.map((fact) => `- ${fact}`), '', ...lines].join('\n');
}

/** The median, and how far the rounds differ; bold where the goal is missed. */
function cellOf({ value, isMet }) {
  if (!value) return '–';
  const text = `${value.median.toFixed(2)} (${value.min.toFixed(2)} – ${value.max.toFixed(2)})`;
  return isMet ? text : `**${text}**`;
}

async function newestOf(files) {
  const runs = await Promise.all(
    files.map((file) => readFile(new URL(file, RESULTS), 'utf8').then(JSON.parse, () => undefined)),
  );
  const byDate = runs
    .filter((run) => run?.finishedAt !== undefined)
    .sort((a, b) => a.finishedAt.localeCompare(b.finishedAt));
  return byDate.at(-1);
}
