// Writes docs/options.md from the schemas of the options: names, defaults and accepted values from the built library, texts
// from the comments on the schemas. With --check it only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import prettier from 'prettier';
import { GROUPS, commentsOf } from './option-groups.mjs';

const BUILT = new URL('../libs/redis-session/build/', import.meta.url);
const { mustBe } = await import(new URL('lib/option-group.js', BUILT));
const TARGET = new URL('../docs/options.md', import.meta.url);

/** Defaults that no literal shows. */
const WORDS = {
  clock: '`Date.now`',
  codec: 'JSON',
  isExempt: 'none is exempt',
  logger: "Nest's `Logger`",
  principalName: "the authentication's name",
  replicaName: "the host's name",
  sessionIdGenerator: '32 random bytes in base64url',
  'session().logger': '`console`',
  toAuthentication: 'see the text',
};

function defaultOf(group, name, schema) {
  const { success, data } = schema.safeParse(undefined);
  if (!success) return 'required';
  const words = WORDS[`${group}.${name}`] ?? WORDS[name];
  if (words) return words;
  return data === undefined ? '' : `\`${JSON.stringify(data).replaceAll('"', "'")}\``;
}

async function sectionOf([title, use, file, name]) {
  const { [name]: group } = await import(new URL(`${file}.js`, BUILT));
  const comments = commentsOf(file, name);
  const options = Object.entries(group.shape).sort(([a], [b]) => (a < b ? -1 : 1));
  const entries = options.map(([option, schema]) => {
    const comment = comments.get(option);
    if (!comment) throw new Error(`${file}: the option ${option} has no comment.`);
    const value = defaultOf(title, option, schema);
    const tail = value === 'required' ? ' Required.' : value && ` Default: ${value}.`;
    return `### \`${option}\`\n\n${comment}${tail}\n\nMust be ${mustBe(schema)}.\n`;
  });
  return `## ${title}\n\nWhere: \`${use}\`.\n\n${entries.join('\n')}`;
}

const sections = [];
for (const group of GROUPS) sections.push(await sectionOf(group));
const text = `# Options

Every option of every group, with its default and what it takes. An option that is unknown, wrong, or contradicts another one fails the start with one sentence.

${sections.join('\n')}`;
const config = await prettier.resolveConfig(TARGET.pathname);
const page = await prettier.format(text, {
  ...config,
  parser: 'markdown',
  printWidth: 120,
  proseWrap: 'always',
});

if (!process.argv.includes('--check')) writeFileSync(TARGET, page);
else if (readFileSync(TARGET, 'utf8') !== page) {
  console.error(
    'docs/options.md is out of date: run "npm run docs:options" and commit the result.',
  );
  process.exit(1);
}
