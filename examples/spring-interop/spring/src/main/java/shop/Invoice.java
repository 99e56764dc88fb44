package shop;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import java.io.Serializable;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** A class of the application's own with a field of every type that Nest can describe. */
@JsonAutoDetect(fieldVisibility = JsonAutoDetect.Visibility.ANY)
public class Invoice implements Serializable {
  private static final long serialVersionUID = 1;

  public enum Status {
    OPEN,
    PAID
  }

  /** A final class: Spring writes it without its name. */
  @JsonAutoDetect
  public record Line(String sku, int count, BigDecimal price) implements Serializable {}

  @JsonAutoDetect(fieldVisibility = JsonAutoDetect.Visibility.ANY)
  public static class Address implements Serializable {
    private static final long serialVersionUID = 1;

    String street = "one";

    @Override
    public String toString() {
      return street;
    }
  }

  String owner = "kim";
  int count = 1;
  long number = 1234567890123456789L;
  double weight = 1.5;
  boolean urgent = true;
  BigDecimal total = new BigDecimal("19.90");
  BigInteger huge = new BigInteger("92233720368547758091");
  Date at = new Date(5);
  Instant due = Instant.ofEpochSecond(5, 1);
  UUID reference = new UUID(1, 2);
  Status status = Status.OPEN;
  Address address = new Address();
  Line first = new Line("a", 1, new BigDecimal("1.10"));
  List<String> notes = new ArrayList<>(List.of("a"));
  List<Line> lines = new ArrayList<>(List.of(first));
  List<Address> addresses = new ArrayList<>(List.of(address));
  Map<String, Integer> stock = new LinkedHashMap<>(Map.of("a", 1));
  Map<String, List<BigDecimal>> prices =
      new LinkedHashMap<>(Map.of("a", new ArrayList<>(List.of(new BigDecimal("1.10")))));
  Object anything = 5;
  Set<String> tags;

  @Override
  public String toString() {
    var values = new ArrayList<Object>();
    Collections.addAll(values, owner, count, number, weight, urgent, total, huge);
    Collections.addAll(values, at == null ? null : at.getTime(), due, reference, status, address);
    Collections.addAll(values, first, notes, lines, addresses, stock, prices, anything, tags);
    return values.toString();
  }
}
