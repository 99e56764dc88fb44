// A whole OpenID provider on port 4000 that forgets everything when it stops. Any name and password will do.
import { Provider } from 'oidc-provider';

const { APP_URL = 'http://localhost:3000', PORT = '4000' } = process.env;

const provider = new Provider(`http://localhost:${PORT}`, {
  clients: [
    {
      client_id: 'shop',
      client_secret: 'secret-of-the-shop',
      redirect_uris: [`${APP_URL}/login/callback`],
      post_logout_redirect_uris: [`${APP_URL}/`],
    },
  ],
  claims: { openid: ['sub'], profile: ['name'] },
  // Puts the claims of `profile` in the ID token, so that the shop needs no second request.
  conformIdTokenClaims: false,
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, name: id }) }),
  cookies: { keys: ['only for this example'] },
});

provider.listen(Number(PORT), '127.0.0.1', () => console.log(`Provider at ${provider.issuer}`));
