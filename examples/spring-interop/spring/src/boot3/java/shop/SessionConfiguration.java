package shop;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.math.BigDecimal;
import java.math.BigInteger;
import org.springframework.beans.factory.BeanClassLoaderAware;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.data.redis.serializer.GenericJackson2JsonRedisSerializer;
import org.springframework.data.redis.serializer.RedisSerializer;
import org.springframework.security.jackson2.SecurityJackson2Modules;

/** Sessions as JSON, so that others can read them. */
@Configuration
public class SessionConfiguration implements BeanClassLoaderAware {
  private ClassLoader loader;

  @Override
  public void setBeanClassLoader(ClassLoader loader) {
    this.loader = loader;
  }

  /**
   * Without Long, Spring cannot read its own messages of new sessions. The other numbers are for attributes; the Nest half names
   * BigDecimal in its option {@code classes}.
   */
  @Bean
  @ConditionalOnProperty(name = "demo.serialization", havingValue = "json", matchIfMissing = true)
  RedisSerializer<Object> springSessionDefaultRedisSerializer() {
    var mapper = new ObjectMapper();
    mapper.disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    mapper.registerModules(SecurityJackson2Modules.getModules(loader));
    mapper.addMixIn(Long.class, Allowed.class);
    mapper.addMixIn(BigDecimal.class, Allowed.class);
    mapper.addMixIn(BigInteger.class, Allowed.class);
    return new GenericJackson2JsonRedisSerializer(mapper);
  }

  /** A class with a mixin may be read from a session. */
  @JsonAutoDetect
  private abstract static class Allowed {}
}
