package shop;

import java.math.BigDecimal;
import java.math.BigInteger;
import org.springframework.beans.factory.BeanClassLoaderAware;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.data.redis.serializer.GenericJacksonJsonRedisSerializer;
import org.springframework.data.redis.serializer.RedisSerializer;
import org.springframework.security.jackson.SecurityJacksonModules;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.jsontype.BasicPolymorphicTypeValidator;

/** Sessions as JSON, so that others can read them. */
@Configuration
public class SessionConfiguration implements BeanClassLoaderAware {
  private ClassLoader loader;

  @Override
  public void setBeanClassLoader(ClassLoader loader) {
    this.loader = loader;
  }

  /**
   * Without Long, Spring cannot read its own messages of new sessions. The others are for attributes; the Nest half names those
   * that it makes itself in its option {@code classes}.
   */
  @Bean
  @ConditionalOnProperty(name = "demo.serialization", havingValue = "json", matchIfMissing = true)
  RedisSerializer<Object> springSessionDefaultRedisSerializer() {
    var allowed =
        BasicPolymorphicTypeValidator.builder()
            .allowIfSubType(Long.class)
            .allowIfSubType(BigDecimal.class)
            .allowIfSubType(BigInteger.class)
            .allowIfSubType("shop.");
    var mapper =
        JsonMapper.builder().addModules(SecurityJacksonModules.getModules(loader, allowed)).build();
    return new GenericJacksonJsonRedisSerializer(mapper);
  }
}
