import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Injectable } from '@nestjs/common';
import { Eta } from 'eta';
import { environment } from '../environment.js';

/** Outside of `src`, so that no build has to copy it: the same path from `src/pages` and from `dist/pages`. */
const FOLDER = fileURLToPath(new URL('../../views/', import.meta.url));

/** Renders the templates of `apps/demo/views`; every value is escaped. */
@Injectable()
export class ViewService {
  readonly stylesheet = readFileSync(`${FOLDER}style.css`, 'utf8');
  private readonly eta = new Eta({ views: FOLDER, cache: true, autoEscape: true });

  /** @param model - what the template sees as `it`, beside `it.pod`, `it.platform`, `it.store` and `it.sharesLogins` */
  render(template: string, model: object): string {
    const { podName: pod, platform, sharesLogins, store } = environment;
    const all = { user: undefined, ...model, pod, platform, sharesLogins, store };
    return this.eta.render(template, all);
  }
}
