package bench;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpSession;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/** The routes of server/ours.mjs. */
@RestController
class SessionController {

	record User(int id, String username, String email, List<String> roles) implements Serializable {
	}

	record Item(String sku, int count) implements Serializable {
	}

	private static final User USER = new User(4711, "kim", "kim@example.org", new ArrayList<>(List.of("USER", "EDITOR")));

	private final AtomicLong changes = new AtomicLong();

	@GetMapping("/hello")
	Map<String, String> hello() {
		return Map.of("hello", "world");
	}

	@GetMapping("/me")
	Map<String, String> me(HttpServletRequest request) {
		HttpSession session = request.getSession(false);
		User user = session == null ? null : (User) session.getAttribute("user");
		if (user == null) {
			throw new ResponseStatusException(HttpStatus.UNAUTHORIZED);
		}
		return Map.of("name", user.username());
	}

	@PostMapping("/change")
	Map<String, Boolean> change(HttpSession session, @RequestParam int bytes) {
		session.setAttribute("a07", newText(bytes));
		return Map.of("ok", true);
	}

	@PostMapping("/login")
	Map<String, String> login(HttpServletRequest request) {
		if (request.getSession(false) != null) {
			request.changeSessionId();
		}
		request.getSession().setAttribute("user", USER);
		return Map.of("name", USER.username());
	}

	@PostMapping("/logout")
	Map<String, Boolean> logout(HttpServletRequest request) {
		HttpSession session = request.getSession(false);
		if (session != null) {
			session.invalidate();
		}
		return Map.of("ok", true);
	}

	@PostMapping("/visit")
	Map<String, Boolean> visit(HttpSession session) {
		session.setAttribute("cart", cart());
		return Map.of("ok", true);
	}

	@PostMapping("/seed")
	Map<String, Boolean> seed(HttpServletRequest request, @RequestParam int count, @RequestParam int bytes) {
		login(request);
		HttpSession session = request.getSession();
		session.setAttribute("cart", cart());
		for (int i = 0; i < count; i++) {
			session.setAttribute(String.format("a%02d", i), newText(bytes));
		}
		return Map.of("ok", true);
	}

	private static ArrayList<Item> cart() {
		return new ArrayList<>(List.of(new Item("A-1001", 1), new Item("B-2002", 3)));
	}

	private String newText(int bytes) {
		return String.format("%" + bytes + "d", this.changes.incrementAndGet());
	}

}
