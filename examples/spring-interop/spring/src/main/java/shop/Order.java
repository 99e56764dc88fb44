package shop;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import java.io.Serializable;
import java.math.BigInteger;

/** A class of the application's own, with numbers that are longer than those of JavaScript. */
@JsonAutoDetect
public class Order implements Serializable {
  private static final long serialVersionUID = 1;

  private long id = 1234567890123456789L;
  private BigInteger huge = new BigInteger("92233720368547758091");
  private int count = 1;

  public long getId() {
    return id;
  }

  public void setId(long id) {
    this.id = id;
  }

  public BigInteger getHuge() {
    return huge;
  }

  public void setHuge(BigInteger huge) {
    this.huge = huge;
  }

  public int getCount() {
    return count;
  }

  public void setCount(int count) {
    this.count = count;
  }

  @Override
  public String toString() {
    return id + " " + huge + " " + count;
  }
}
