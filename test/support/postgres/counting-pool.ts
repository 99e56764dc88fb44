import { Pool } from 'pg';

/** Notes the statements of one pool. */
export class CountingPool extends Pool {
  readonly statements: string[] = [];

  constructor(url: string) {
    super({ connectionString: url });
    // A server that stops breaks connections that are about to close.
    this.on('error', () => undefined);
    this.on('connect', (client) => {
      const send = client.query.bind(client) as (...args: unknown[]) => unknown;
      const query = (...args: unknown[]): unknown => {
        const [statement] = args as [string | { text: string }];
        this.statements.push(typeof statement === 'string' ? statement : statement.text);
        return send(...args);
      };
      Object.assign(client, { query });
    });
  }
}
