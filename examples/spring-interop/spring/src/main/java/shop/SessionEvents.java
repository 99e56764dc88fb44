package shop;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.springframework.context.event.EventListener;
import org.springframework.security.core.context.SecurityContext;
import org.springframework.session.events.AbstractSessionEvent;
import org.springframework.stereotype.Component;

/** What Spring tells of sessions: the kind of the event and the user. */
@Component
public class SessionEvents {
  private final List<String> events = new CopyOnWriteArrayList<>();

  @EventListener
  void on(AbstractSessionEvent event) {
    SecurityContext context = null;
    if (event.getSession() != null) {
      context = event.getSession().getAttribute("SPRING_SECURITY_CONTEXT");
    }
    var user =
        context == null || context.getAuthentication() == null
            ? "nobody"
            : context.getAuthentication().getName();
    events.add(event.getClass().getSimpleName() + " " + event.getSessionId() + " " + user);
  }

  List<String> all() {
    return events;
  }
}
