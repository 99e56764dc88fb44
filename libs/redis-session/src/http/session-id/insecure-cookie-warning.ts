import { type IncomingMessage } from 'node:http';
import { type SessionLogger } from '../../lib/logger.js';

/** Hears of each session cookie that is sent without `Secure`. */
export type InsecureCookieListener = (
  request: IncomingMessage,
  sameSite: 'lax' | 'strict' | 'none' | boolean | undefined,
) => void;

const TRUST_THE_PROXY =
  'Have the platform trust the proxy that ends TLS (app.set("trust proxy", …) on Express, trustProxy of the FastifyAdapter), or set cookie.secure to true.';

/** Warns once of a cookie without `Secure` that no browser keeps, and once of one on a site that looks like https. */
export function insecureCookieWarning(logger: SessionLogger): InsecureCookieListener {
  let hasWarnedOfSameSite = false;
  let hasWarnedOfProxy = false;
  return (request, sameSite) => {
    if (sameSite === 'none' && !hasWarnedOfSameSite) {
      hasWarnedOfSameSite = true;
      logger.warn(
        `No browser keeps the session cookie: it has SameSite=None without Secure, because the request did not come over https as far as the platform knows. ${TRUST_THE_PROXY}`,
      );
    } else if (saysHttps(request) && !hasWarnedOfProxy) {
      hasWarnedOfProxy = true;
      logger.warn(
        `The session cookie is sent without Secure, although X-Forwarded-Proto says https: it came from a proxy that the platform does not trust. ${TRUST_THE_PROXY}`,
      );
    }
  };
}

function saysHttps({ headers }: IncomingMessage): boolean {
  return String(headers['x-forwarded-proto']).split(',', 1)[0]?.trim().toLowerCase() === 'https';
}
