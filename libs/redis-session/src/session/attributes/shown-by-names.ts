import { inspect } from 'node:util';
import { readable } from '../../lib/logger.js';

/** Shows the names of its attributes where it is logged or returned by mistake, but no id and no values. */
export abstract class ShownByNames {
  protected abstract readonly attributes: { readonly names: readonly string[] };

  /** What a client or a log gets of it as JSON. */
  toJSON(): { attributeNames: readonly string[] } {
    return { attributeNames: this.attributes.names };
  }

  /** What `console.log` shows. */
  [inspect.custom](): string {
    return `Session { ${this.attributes.names.map(readable).join(', ')} }`;
  }
}
