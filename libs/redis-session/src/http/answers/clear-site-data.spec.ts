import { describe, expect, it } from '@jest/globals';
import { TestExchange } from '../../../../../test/support/http/test-exchange.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { clearSiteData, type ClearSiteDataDirective } from './authentication-handlers.js';

describe(clearSiteData, () => {
  it('writes the quoted directives', async () => {
    const exchange = new TestExchange({ isSecure: true });
    await clearSiteData('cache', 'storage').logout(exchange, undefined);
    expect(exchange.addedHeaders).toEqual([['Clear-Site-Data', '"cache", "storage"']]);
  });

  it('writes nothing over http, where browsers do not heed it', async () => {
    const exchange = new TestExchange();
    await clearSiteData('*').logout(exchange, undefined);
    expect(exchange.addedHeaders).toEqual([]);
  });

  it('refuses unknown directives and none', () => {
    expect(() => clearSiteData()).toThrow(SessionOptionError);
    expect(() => clearSiteData('history' as ClearSiteDataDirective)).toThrow('got ["history"]');
  });
});
