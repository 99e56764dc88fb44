package shop;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.math.BigDecimal;
import java.math.BigInteger;
import org.springframework.beans.factory.BeanClassLoaderAware;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.convert.ConversionService;
import org.springframework.core.convert.support.GenericConversionService;
import org.springframework.data.redis.serializer.GenericJackson2JsonRedisSerializer;
import org.springframework.security.jackson2.SecurityJackson2Modules;
import org.springframework.session.config.SessionRepositoryCustomizer;
import org.springframework.session.jdbc.JdbcIndexedSessionRepository;

/** Sessions in PostgreSQL as JSON, so that others can read them. */
@Configuration
public class SessionConfiguration implements BeanClassLoaderAware {
  private ClassLoader loader;

  @Override
  public void setBeanClassLoader(ClassLoader loader) {
    this.loader = loader;
  }

  @Bean
  ConversionService springSessionConversionService() {
    var mapper = new ObjectMapper();
    mapper.disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    mapper.registerModules(SecurityJackson2Modules.getModules(loader));
    mapper.addMixIn(Long.class, Allowed.class);
    mapper.addMixIn(BigDecimal.class, Allowed.class);
    mapper.addMixIn(BigInteger.class, Allowed.class);
    var json = new GenericJackson2JsonRedisSerializer(mapper);
    var service = new GenericConversionService();
    service.addConverter(Object.class, byte[].class, json::serialize);
    service.addConverter(byte[].class, Object.class, json::deserialize);
    return service;
  }

  /** A request that is under way when its session ends writes nothing. By default Spring answers 500 to some of these. */
  @Bean
  SessionRepositoryCustomizer<JdbcIndexedSessionRepository> attributesOfLivingSessions() {
    return repository ->
        repository.setCreateSessionAttributeQuery(
            """
            INSERT INTO %TABLE_NAME%_ATTRIBUTES (SESSION_PRIMARY_ID, ATTRIBUTE_NAME, ATTRIBUTE_BYTES)
            SELECT S.PRIMARY_ID, A.NAME, A.BYTES
              FROM (VALUES (CAST(? AS CHAR(36)), CAST(? AS VARCHAR), CAST(? AS BYTEA))) A (ID, NAME, BYTES)
              JOIN %TABLE_NAME% S ON S.PRIMARY_ID = A.ID
               FOR KEY SHARE OF S
            ON CONFLICT (SESSION_PRIMARY_ID, ATTRIBUTE_NAME)
            DO UPDATE SET ATTRIBUTE_BYTES = EXCLUDED.ATTRIBUTE_BYTES
            """);
  }

  /** A class with a mixin may be read from a session. */
  @JsonAutoDetect
  private abstract static class Allowed {}
}
