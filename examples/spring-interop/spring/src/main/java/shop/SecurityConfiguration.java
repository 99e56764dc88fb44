package shop;

import jakarta.servlet.DispatcherType;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.crypto.bcrypt.BCryptPasswordEncoder;
import org.springframework.security.crypto.password.PasswordEncoder;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.session.FindByIndexNameSessionRepository;
import org.springframework.session.Session;
import org.springframework.session.security.SpringSessionBackedSessionRegistry;

@Configuration
public class SecurityConfiguration {
  /** The fewest rounds, as everybody's password is the name here. An application writes new BCryptPasswordEncoder(). */
  @Bean
  PasswordEncoder passwords() {
    return new BCryptPasswordEncoder(4);
  }

  @Bean
  UserDetailsService users(PasswordEncoder passwords) {
    var users = User.builder().passwordEncoder(passwords::encode);
    return new InMemoryUserDetailsManager(
        users.username("alice").password("alice").roles("USER", "ADMIN").build(),
        users.username("bob").password("bob").roles("USER").build());
  }

  @Bean
  SecurityFilterChain security(
      HttpSecurity http,
      ObjectProvider<FindByIndexNameSessionRepository<? extends Session>> sessions,
      @Value("${demo.maximum-sessions:-1}") int maximumSessions,
      @Value("${demo.maximum-sessions-prevents-login:false}") boolean preventsLogin)
      throws Exception {
    http.authorizeHttpRequests(
            requests ->
                requests
                    .dispatcherTypeMatchers(DispatcherType.ERROR)
                    .permitAll()
                    .requestMatchers("/spring/members")
                    .authenticated()
                    .requestMatchers("/spring/vault")
                    .fullyAuthenticated()
                    .requestMatchers("/spring/admin")
                    .hasRole("ADMIN")
                    .anyRequest()
                    .permitAll())
        .csrf(csrf -> csrf.ignoringRequestMatchers("/spring/api/**", "/both/api/**"))
        .formLogin(form -> form.loginProcessingUrl("/spring/login").defaultSuccessUrl("/spring/home"))
        .rememberMe(remember -> remember.key("a key of this example"))
        .logout(logout -> logout.logoutUrl("/spring/logout").logoutSuccessUrl("/spring/home"))
        .anonymous(Customizer.withDefaults());
    if (preventsLogin) {
      // By default Spring keeps the exception of a refused login in the session, and cannot read it back from JSON.
      http.formLogin(
          form -> form.failureHandler((request, response, error) -> response.sendRedirect("/login?error")));
    }
    var repository = sessions.getIfAvailable();
    if (maximumSessions > 0 && repository != null) {
      http.sessionManagement(
          management ->
              management
                  .maximumSessions(maximumSessions)
                  .maxSessionsPreventsLogin(preventsLogin)
                  .sessionRegistry(new SpringSessionBackedSessionRegistry<>(repository)));
    }
    return http.build();
  }
}
