package dev.weftline.tutorial;

import dev.weftline.tutorial.users.User;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The users there are: immutable.
final class KnownUsers {
  private final Map<Long, User> byId = new HashMap<>();
  private final Map<String, User> byName = new HashMap<>();

  private KnownUsers(List<User> users) {
    for (var user : users) {
      byId.put(user.getId(), user);
      byName.put(folded(user.getName()), user);
    }
  }

  /// Users 1 to as many as there are names, in their order.
  static KnownUsers named(String... names) {
    var users = new User[names.length];
    for (int i = 0; i < names.length; i++) {
      users[i] =
          User.newBuilder()
              .setId(i + 1)
              .setName(names[i])
              .setEmail(folded(names[i]) + "@example.com")
              .build();
    }
    return new KnownUsers(List.of(users));
  }

  Optional<User> byId(long id) {
    return Optional.ofNullable(byId.get(id));
  }

  /// In capitals or not.
  Optional<User> byName(String name) {
    return Optional.ofNullable(byName.get(folded(name)));
  }

  private static String folded(String name) {
    return name.toLowerCase(Locale.ROOT);
  }
}
