import { type Authentication } from 'nestjs-redis-session';
import { javaClassOf, ofJavaClass, type SpringPrincipals } from 'nestjs-redis-session/spring';

const ACCOUNT = 'shop.Account';
const OAUTH2_USER = 'org.springframework.security.oauth2.core.user.DefaultOAuth2User';
const OIDC_USER = 'org.springframework.security.oauth2.core.oidc.user.DefaultOidcUser';

/** A user of the class `Account` of the Spring half. */
interface Account {
  readonly email: string;
  readonly department: string;
}

/** What an OAuth 2 provider has told of a user. */
interface OAuth2User {
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly nameAttributeKey: string;
}

/** What an OpenID Connect provider has told of a user. */
interface OidcUser {
  readonly idToken: { readonly claims: { readonly sub: string } };
  readonly userInfo: { readonly claims: { readonly email?: string } } | null;
}

/** Translates the users of the Spring half that are not of Spring's own class `User`. */
export const principals: SpringPrincipals = {
  fromSpring(principal, { authorizedClientRegistrationId: provider }) {
    if (javaClassOf(principal) === ACCOUNT) {
      const { email, department } = principal as Account;
      return { name: email, principal: { username: email, department } };
    }
    if (javaClassOf(principal) === OAUTH2_USER) {
      const { attributes, nameAttributeKey } = principal as OAuth2User;
      const name = String(attributes[nameAttributeKey]);
      return { name, principal: { username: name, provider, id: attributes['id'] } };
    }
    if (javaClassOf(principal) === OIDC_USER) {
      const { idToken, userInfo } = principal as OidcUser;
      const name = idToken.claims.sub;
      return { name, principal: { username: name, provider, email: userInfo?.claims.email } };
    }
    return undefined;
  },

  toSpring({ principal }: Authentication) {
    const { username, department } = principal as { username: string; department?: string };
    return department === undefined
      ? undefined
      : ofJavaClass(ACCOUNT, { email: username, department });
  },
};
