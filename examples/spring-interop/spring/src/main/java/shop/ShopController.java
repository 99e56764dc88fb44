package shop;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpSession;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.security.authentication.RememberMeAuthenticationToken;
import org.springframework.security.core.Authentication;
import org.springframework.security.web.csrf.CsrfToken;
import org.springframework.session.FindByIndexNameSessionRepository;
import org.springframework.session.Session;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** The pages and the API of the Spring half. */
@RestController
@RequestMapping({"/spring", "/both"})
public class ShopController {
  private final Semaphore goOn = new Semaphore(0);
  private final SessionEvents events;
  private final ObjectProvider<FindByIndexNameSessionRepository<? extends Session>> sessions;

  ShopController(
      SessionEvents events,
      ObjectProvider<FindByIndexNameSessionRepository<? extends Session>> sessions) {
    this.events = events;
    this.sessions = sessions;
  }

  @GetMapping({"/home", "/members", "/vault", "/admin"})
  String page(Authentication user) {
    return user == null ? "hello stranger" : "hello " + user.getName();
  }

  @GetMapping("/api/me")
  Map<String, Object> me(Authentication user) {
    var me = new LinkedHashMap<String, Object>();
    me.put("name", user == null ? null : user.getName());
    me.put("authorities", user == null ? List.of() : user.getAuthorities().stream().map(Object::toString).toList());
    me.put("token", user == null ? null : user.getClass().getSimpleName());
    me.put("kind", user instanceof RememberMeAuthenticationToken ? "remember-me" : "full");
    return me;
  }

  @GetMapping("/api/csrf")
  String csrf(CsrfToken token) {
    return token.getToken();
  }

  @PostMapping("/api/cart")
  List<String> add(HttpSession session, @RequestParam String item) {
    var cart = new ArrayList<>(cartOf(session));
    cart.add(item);
    session.setAttribute("cart", cart);
    return cart;
  }

  @GetMapping("/api/cart")
  List<String> cart(HttpSession session) {
    return cartOf(session);
  }

  @PostMapping("/api/session-id")
  void changeId(HttpServletRequest request) {
    request.getSession();
    request.changeSessionId();
  }

  /** A request in flight: it has read the session, and saves it when it may go on. */
  @PostMapping("/api/slow")
  void slow(HttpSession session) throws InterruptedException {
    session.setAttribute("slow", "done");
    goOn.tryAcquire(10, TimeUnit.SECONDS);
  }

  @GetMapping("/api/waiting")
  int waiting() {
    return goOn.getQueueLength();
  }

  @PostMapping("/api/go-on")
  void goOn() {
    goOn.release();
  }

  /** One attribute of each kind that Spring can write. */
  @PostMapping("/api/attributes")
  void write(HttpSession session) {
    session.setAttribute("text", "naïve 🍪");
    session.setAttribute("integer", 5);
    session.setAttribute("long", 6_000_000_000L);
    session.setAttribute("double", 1.5);
    session.setAttribute("boolean", true);
    session.setAttribute("date", new Date(1404360000000L));
    session.setAttribute("list", new ArrayList<>(List.of("a", "b")));
    session.setAttribute("map", new HashMap<>(Map.of("key", new ArrayList<>(List.of(1, 2)))));
    session.setAttribute("tree", new TreeMap<>(Map.of("b", "2", "a", "1")));
    session.setAttribute("unmodifiable", Collections.unmodifiableList(new ArrayList<>(List.of("x"))));
    session.setAttribute("wishlist", new Wishlist());
    session.setAttribute("gone", "soon");
    session.removeAttribute("gone");
  }

  /** Whole numbers that JavaScript does not hold. */
  @PostMapping("/api/numbers")
  void numbers(HttpSession session) {
    var order = new Order();
    session.setAttribute("id", order.getId());
    session.setAttribute("huge", order.getHuge());
    var map = new LinkedHashMap<String, Object>();
    map.put("id", order.getId());
    map.put("huge", order.getHuge());
    map.put("count", 1);
    session.setAttribute("map", map);
    session.setAttribute("order", order);
  }

  /** An object of the application's own class with many fields. */
  @PostMapping("/api/invoice")
  void invoice(HttpSession session) {
    session.setAttribute("invoice", new Invoice());
  }

  /** Every attribute: its class and its text. */
  @GetMapping("/api/attributes")
  Map<String, String> read(HttpServletRequest request) {
    var all = new TreeMap<String, String>();
    var session = request.getSession(false);
    if (session == null) return all;
    for (var name : Collections.list(session.getAttributeNames())) {
      var value = session.getAttribute(name);
      all.put(name, value.getClass().getName() + " " + value);
    }
    return all;
  }

  /** Writes every attribute again, as Spring has read it. */
  @PostMapping("/api/attributes/again")
  void writeAgain(HttpSession session) {
    for (var name : Collections.list(session.getAttributeNames())) {
      session.setAttribute(name, session.getAttribute(name));
    }
  }

  @GetMapping("/api/wishlist")
  List<String> wishlist(HttpSession session) {
    return ((Wishlist) session.getAttribute("wishlist")).getItems();
  }

  @GetMapping("/api/sessions")
  int count(@RequestParam String user) {
    return sessions.getObject().findByPrincipalName(user).size();
  }

  @GetMapping("/api/events")
  List<String> events() {
    return events.all();
  }

  @SuppressWarnings("unchecked")
  private static List<String> cartOf(HttpSession session) {
    var cart = (List<String>) session.getAttribute("cart");
    return cart == null ? List.of() : cart;
  }
}
