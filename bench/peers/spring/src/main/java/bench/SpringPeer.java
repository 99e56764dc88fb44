package bench;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** Spring Boot with Spring Session, with the routes of the other contestants. */
@SpringBootApplication
public class SpringPeer {
	public static void main(String[] args) {
		SpringApplication.run(SpringPeer.class, args);
	}
}
