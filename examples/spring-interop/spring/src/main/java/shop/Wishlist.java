package shop;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/** A class of the application's own. The annotation puts it on the list of classes that may be read from a session. */
@JsonAutoDetect
public class Wishlist implements Serializable {
  private static final long serialVersionUID = 1;

  private String owner = "nobody";
  private List<String> items = new ArrayList<>();

  public String getOwner() {
    return owner;
  }

  public void setOwner(String owner) {
    this.owner = owner;
  }

  public List<String> getItems() {
    return items;
  }

  public void setItems(List<String> items) {
    this.items = items;
  }

  @Override
  public String toString() {
    return items + " of " + owner;
  }
}
