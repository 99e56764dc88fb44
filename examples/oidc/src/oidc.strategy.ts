import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import {
  allowInsecureRequests,
  type Configuration,
  discovery,
  type TokenEndpointResponse,
  type TokenEndpointResponseHelpers,
} from 'openid-client';
import { Strategy } from 'openid-client/passport';

/** Where this application is, as browsers see it. */
export const APP_URL = process.env['APP_URL'] ?? 'http://localhost:3000';

/** Token of the provider's {@link Configuration}. */
export const PROVIDER = Symbol('OpenID provider');

/** A user as the session keeps it. */
export interface User {
  sub: string;
  name: string;
  authorities: string[];
}

/** Reads the addresses and keys of the provider. Without `allowInsecureRequests` only https will do. */
export function connectProvider(): Promise<Configuration> {
  const issuer = new URL(process.env['ISSUER'] ?? 'http://localhost:4000');
  return discovery(issuer, 'shop', 'secret-of-the-shop', undefined, {
    execute: [allowInsecureRequests],
  });
}

/** Starts the login at the provider, and checks what the provider sends back. */
@Injectable()
export class OidcStrategy extends PassportStrategy(Strategy, 'oidc') {
  constructor(@Inject(PROVIDER) config: Configuration) {
    super({ config, scope: 'openid profile', callbackURL: `${APP_URL}/login/callback` });
  }

  /** The ID token is verified by now. Its `sub` never changes; its name may. */
  validate(tokens: TokenEndpointResponse & TokenEndpointResponseHelpers): User | null {
    const claims = tokens.claims();
    if (!claims) return null;
    const { sub, name } = claims;
    return { sub, name: typeof name === 'string' ? name : sub, authorities: ['USER'] };
  }
}
