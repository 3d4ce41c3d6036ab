package dev.weftline.protoc;

import java.util.Locale;
import java.util.Set;
import javax.lang.model.SourceVersion;

/// What the names of a .proto become in Java. A name that Java or the generated code needs for
/// itself gets `_` behind it.
final class JavaNames {
  /// Names that every interface has from `Object`, whatever the parameters: one rule is easier to
  /// remember than one for each shape.
  private static final Set<String> OF_OBJECT =
      Set.of(
          "clone",
          "equals",
          "finalize",
          "getClass",
          "hashCode",
          "notify",
          "notifyAll",
          "toString",
          "wait");

  /// Names that [ServiceFile] gives to methods of its own.
  private static final Set<String> OF_GENERATED_CODE =
      Set.of("client", "descriptor", "service", "withDeadline", "withOptions");

  /// Not keywords, but no names for classes either (JLS §3.9).
  private static final Set<String> NO_CLASS = Set.of("permits", "record", "sealed", "var", "yield");

  private JavaNames() {}

  /// `SayHello` and `say_hello` are called as `sayHello`.
  static String ofMethod(String name) {
    var words = new StringBuilder();
    for (var word : name.split("_", -1)) words.append(capitalized(word));
    var joined =
        words.isEmpty() ? "_" : words.substring(0, 1).toLowerCase(Locale.ROOT) + words.substring(1);
    if (Character.isDigit(joined.charAt(0))) joined = "_" + joined;
    return isReserved(joined) ? joined + "_" : joined;
  }

  private static String capitalized(String word) {
    return word.isEmpty() ? "" : word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
  }

  private static boolean isReserved(String name) {
    return SourceVersion.isKeyword(name)
        || OF_OBJECT.contains(name)
        || OF_GENERATED_CODE.contains(name);
  }

  /// `sayHello` is described by `SAY_HELLO`. Different methods have different constants.
  static String ofConstant(String method) {
    return method.replaceAll("(?=[A-Z])", "_").toUpperCase(Locale.ROOT);
  }

  /// Services are called as in the .proto.
  static String ofClass(String name) {
    return SourceVersion.isKeyword(name) || NO_CLASS.contains(name) ? name + "_" : name;
  }
}
