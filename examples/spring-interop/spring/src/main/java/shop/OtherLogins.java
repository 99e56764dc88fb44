package shop;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.springframework.security.authentication.UsernamePasswordAuthenticationToken;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.authority.SimpleGrantedAuthority;
import org.springframework.security.core.context.SecurityContextImpl;
import org.springframework.security.oauth2.client.authentication.OAuth2AuthenticationToken;
import org.springframework.security.oauth2.core.oidc.OidcIdToken;
import org.springframework.security.oauth2.core.oidc.OidcUserInfo;
import org.springframework.security.oauth2.core.oidc.user.DefaultOidcUser;
import org.springframework.security.oauth2.core.oidc.user.OidcUserAuthority;
import org.springframework.security.oauth2.core.user.DefaultOAuth2User;
import org.springframework.security.oauth2.core.user.OAuth2UserAuthority;
import org.springframework.security.web.context.HttpSessionSecurityContextRepository;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Logins whose principal is neither a name nor Spring Security's User, as other applications have them. */
@RestController
@RequestMapping("/spring/api")
public class OtherLogins {
  private final HttpSessionSecurityContextRepository contexts =
      new HttpSessionSecurityContextRepository();

  @PostMapping("/login-as-account")
  void account(HttpServletRequest request, HttpServletResponse response, @RequestParam String email) {
    var account = new Account(email, "sales");
    logIn(
        UsernamePasswordAuthenticationToken.authenticated(account, null, account.getAuthorities()),
        request,
        response);
  }

  /** As after a login at an OAuth 2 provider. */
  @PostMapping("/login-by-oauth2")
  void oauth2(HttpServletRequest request, HttpServletResponse response, @RequestParam String login) {
    Map<String, Object> attributes = Map.of("login", login, "id", 6_000_000_000L, "site_admin", false);
    var authorities =
        List.of(
            new OAuth2UserAuthority(attributes, "login"), new SimpleGrantedAuthority("SCOPE_read"));
    var user = new DefaultOAuth2User(authorities, attributes, "login");
    logIn(new OAuth2AuthenticationToken(user, authorities, "github"), request, response);
  }

  /** As after a login at an OpenID Connect provider. */
  @PostMapping("/login-by-oidc")
  void oidc(HttpServletRequest request, HttpServletResponse response, @RequestParam String subject) {
    var now = Instant.now();
    var token =
        OidcIdToken.withTokenValue("token")
            .subject(subject)
            .issuedAt(now)
            .expiresAt(now.plusSeconds(60))
            .build();
    var info = OidcUserInfo.builder().subject(subject).email(subject + "@example.com").build();
    var authorities =
        List.of(new OidcUserAuthority(token, info), new SimpleGrantedAuthority("SCOPE_openid"));
    var user = new DefaultOidcUser(authorities, token, info);
    logIn(new OAuth2AuthenticationToken(user, authorities, "keycloak"), request, response);
  }

  /** The class of whoever is logged in, which a cast of the application relies on. */
  @GetMapping("/principal")
  String principal(Authentication user) {
    if (user == null) return "nobody";
    var principal = user.getPrincipal();
    var department = principal instanceof Account account ? " of " + account.getDepartment() : "";
    return principal.getClass().getSimpleName() + " " + user.getName() + department;
  }

  private void logIn(
      Authentication user, HttpServletRequest request, HttpServletResponse response) {
    request.getSession();
    request.changeSessionId();
    contexts.saveContext(new SecurityContextImpl(user), request, response);
  }
}
