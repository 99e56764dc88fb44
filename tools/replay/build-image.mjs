import { cp, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { run } from '../consumers/scaffolds.mjs';

/** What a step of a Dockerfile without a program of its own may be. */
const SILENT = ['ENV', 'EXPOSE', 'USER', 'WORKDIR'];

/**
 * Does in folders what a Dockerfile does in images: one folder per stage, `/app` is the folder itself.
 *
 * @param {string} dockerfile - its text: FROM, COPY, RUN, CMD, and steps that touch no file
 * @param {string} context - the folder that is built
 * @param {string} target - where the stages go
 * @returns {Promise<{ folder: string, command: string[] }>} of the last stage
 * @throws {Error} when a step fails or is not known
 */
export async function buildImage(dockerfile, context, target) {
  /** @type {Map<string, string>} */
  const stages = new Map();
  let folder = '';
  /** @type {string[]} */
  let command = [];
  for (const line of dockerfile.split('\n').filter((text) => text && !text.startsWith('#'))) {
    const [, step = '', rest = ''] = /^(\w+) (.*)$/.exec(line) ?? [];
    if (step === 'FROM') {
      const name = / AS (\w+)$/.exec(rest)?.[1] ?? 'last';
      folder = join(target, name);
      await mkdir(folder, { recursive: true });
      stages.set(name, folder);
    } else if (step === 'COPY') await copy(rest, { context, folder, stages });
    else if (step === 'RUN') await run(folder, 'sh', ['-c', rest]);
    else if (step === 'CMD') command = JSON.parse(rest);
    else if (!SILENT.includes(step)) throw new Error(`The Dockerfile has an unknown step: ${line}`);
  }
  return { folder, command };
}

/** `. .`, or `--from=build /app/dist dist`. */
async function copy(
  /** @type {string} */ args,
  /** @type {{ context: string, folder: string, stages: Map<string, string> }} */ {
    context,
    folder,
    stages,
  },
) {
  const [, stage, from = '', to = ''] = /^(?:--from=(\w+) )?(\S+) (\S+)$/.exec(args) ?? [];
  const source = join(stage ? (stages.get(stage) ?? '') : context, from.replace(/^\/app\/?/, ''));
  // As .dockerignore says.
  const filter = (/** @type {string} */ path) =>
    stage !== undefined || !['node_modules', 'dist'].includes(basename(path));
  await cp(source, join(folder, to), { recursive: true, verbatimSymlinks: true, filter });
}
