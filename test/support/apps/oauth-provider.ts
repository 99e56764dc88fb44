import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** The one client that the provider knows. */
export const OAUTH_CLIENT = { id: 'shop', secret: 'of-the-shop' };

/** A provider of OAuth 2.0 with PKCE that serves one user, `kim`, who is logged in and consents. */
export interface OauthProvider {
  readonly url: string;
  /** Whether the user says no at the next request. */
  isConsentRefused: boolean;
  readonly close: () => Promise<void>;
}

interface Grant {
  readonly redirectUri: string;
  readonly challenge: string;
}

/** Starts a provider with `/authorize`, `/token` and `/userinfo`. */
export async function startOauthProvider(): Promise<OauthProvider> {
  const grants = new Map<string, Grant>();
  const tokens = new Set<string>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://provider');
    if (url.pathname === '/authorize') authorize(url, response);
    else if (url.pathname === '/token') void issueToken(request, response);
    else sendUser(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const provider = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    isConsentRefused: false,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return provider;

  function authorize({ searchParams: query }: URL, response: ServerResponse): void {
    const redirectUri = query.get('redirect_uri') ?? '';
    const challenge = query.get('code_challenge');
    const isCodeFlow = query.get('response_type') === 'code';
    const isPkce = query.get('code_challenge_method') === 'S256' && challenge;
    if (query.get('client_id') !== OAUTH_CLIENT.id || !isCodeFlow || !isPkce) {
      response.writeHead(400).end();
      return;
    }
    const back = new URL(redirectUri);
    back.searchParams.set('state', query.get('state') ?? '');
    if (provider.isConsentRefused) {
      back.searchParams.set('error', 'access_denied');
    } else {
      const code = randomUUID();
      grants.set(code, { redirectUri, challenge });
      back.searchParams.set('code', code);
    }
    response.writeHead(302, { Location: back.href }).end();
  }

  async function issueToken(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams(await text(request));
    const grant = grants.get(form.get('code') ?? '');
    grants.delete(form.get('code') ?? '');
    const verifier = createHash('sha256').update(form.get('code_verifier') ?? '');
    const isClient =
      form.get('client_id') === OAUTH_CLIENT.id &&
      form.get('client_secret') === OAUTH_CLIENT.secret;
    const isGranted =
      grant?.challenge === verifier.digest('base64url') &&
      grant.redirectUri === form.get('redirect_uri');
    if (!isClient || !isGranted) {
      sendJson(response, 400, { error: 'invalid_grant' });
      return;
    }
    const token = randomUUID();
    tokens.add(token);
    sendJson(response, 200, { access_token: token, token_type: 'Bearer' });
  }

  function sendUser({ headers }: IncomingMessage, response: ServerResponse): void {
    const isKnown = tokens.has(headers.authorization?.replace('Bearer ', '') ?? '');
    sendJson(response, isKnown ? 200 : 401, isKnown ? { sub: 'kim', roles: ['USER'] } : {});
  }
}

function sendJson(response: ServerResponse, status: number, content: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(content));
}
