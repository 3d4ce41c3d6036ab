package dev.weftline.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/// What operators say about a server without touching its code: flags, environment variables and a
/// file, in this order of precedence. All three know the same options by the same names.
///
/// ```java
/// static void main(String[] args) throws Exception {
///   var server = Server.builder().port(50051).addService(greeter);
///   try (var running = server.configure(Configuration.load(args)).start()) {
///     running.awaitTermination();
///   }
/// }
/// ```
///
/// What is written `--max-streams 500` is `WEFTLINE_MAX_STREAMS=500` in the environment and
/// `max-streams=500` in `weftline.properties`; in `weftline.yaml` it may be nested. `PORT`, which
/// platforms such as Cloud Run set, means `port`. An option that nobody knows, or a value that
/// cannot be read, is refused with the nearest name. Immutable.
public final class Configuration {
  private static final String PREFIX = "WEFTLINE_";

  /// Where the file is named: the flag, or the variable with [#PREFIX].
  private static final String FILE_FLAG = "config";

  /// A configuration of some kilobytes; whatever is larger is something else.
  private static final long FILE_BYTES_MAX = 1 << 20;

  private final Map<String, ServerOption.Value<?>> values;
  private final List<String> arguments;

  private Configuration(Map<String, ServerOption.Value<?>> values, List<String> arguments) {
    this.values = values;
    this.arguments = List.copyOf(arguments);
  }

  /// Reads the flags among `arguments`, this process's environment, and the file that `--config` or
  /// `WEFTLINE_CONFIG` names, else `weftline.properties`, `weftline.yaml` or `weftline.yml` in the
  /// working directory if there is one.
  ///
  /// @throws IllegalArgumentException with a sentence for the operator
  public static Configuration load(String... arguments) {
    return load(Path.of(""), System.getenv(), List.of(arguments));
  }

  /// As above, with the working directory and the environment given.
  public static Configuration load(
      Path directory, Map<String, String> environment, List<String> arguments) {
    var flags = new LinkedHashMap<String, String>();
    var rest = new ArrayList<String>();
    readFlags(arguments, flags, rest);
    var named = flags.remove(FILE_FLAG);
    if (named == null) named = environment.get(PREFIX + "CONFIG");
    var values = new LinkedHashMap<String, ServerOption.Value<?>>();
    var file = named != null ? Optional.of(directory.resolve(named)) : found(directory);
    file.ifPresent(path ->
        readFile(path).forEach((name, text) -> put(values, name, text, name + " in " + path)));
    readEnvironment(environment, values);
    flags.forEach((name, text) -> put(values, name, text, "--" + name));
    return new Configuration(values, rest);
  }

  /// The arguments that are no flags, in their order.
  public List<String> arguments() {
    return arguments;
  }

  /// Tells `builder` everything; what was told it before is overridden.
  void tell(Server.Builder builder) {
    var draft = new ServerDraft(builder);
    for (var value : values.values()) {
      try {
        value.put(draft);
      } catch (IllegalArgumentException | ArithmeticException e) {
        throw new IllegalArgumentException(
            "option " + value.option().name() + " is impossible: " + e.getMessage(), e);
      }
    }
    draft.finish();
  }

  /// The options with one line each, for `--help`.
  public static String help() {
    return ServerOptions.ALL.stream()
        .map(option ->
            "  --%-32s %s (%s)%n"
                .formatted(
                    option.name() + " " + option.kind().form(), option.meaning(), option.preset()))
        .collect(Collectors.joining());
  }

  private static void readFlags(
      List<String> arguments, Map<String, String> flags, List<String> rest) {
    for (int i = 0; i < arguments.size(); i++) {
      var argument = arguments.get(i);
      if (argument.equals("--")) {
        rest.addAll(arguments.subList(i + 1, arguments.size()));
        return;
      }
      if (!argument.startsWith("--")) {
        rest.add(argument);
        continue;
      }
      int equals = argument.indexOf('=');
      var name = equals < 0 ? argument.substring(2) : argument.substring(2, equals);
      if (equals >= 0) {
        flags.put(name, argument.substring(equals + 1));
      } else if (isSwitch(name)
          && (i + 1 == arguments.size() || arguments.get(i + 1).startsWith("--"))) {
        flags.put(name, "on");
      } else if (i + 1 == arguments.size()) {
        if (!name.equals(FILE_FLAG)) option(name, argument);
        throw new IllegalArgumentException(argument + " needs a value");
      } else {
        flags.put(name, arguments.get(++i));
      }
    }
  }

  private static boolean isSwitch(String name) {
    return ServerOptions.ALL.stream()
        .anyMatch(
            option -> option.name().equals(name) && option.kind().equals(ServerOption.SWITCH));
  }

  private static void readEnvironment(
      Map<String, String> environment, Map<String, ServerOption.Value<?>> values) {
    var port = environment.getOrDefault("PORT", "");
    if (!port.isEmpty()) put(values, "port", port, "environment variable PORT");
    environment.forEach((variable, text) -> {
      if (!variable.startsWith(PREFIX) || isForeign(variable, text)) return;
      if (variable.equals(PREFIX + "CONFIG")) return;
      var name = variable.substring(PREFIX.length()).replace('_', '-').toLowerCase(Locale.ROOT);
      put(values, name, text, "environment variable " + variable);
    });
  }

  /// Variables with our prefix that belong to somebody else: the build's, and the links that
  /// Kubernetes makes for a service called `weftline` (`WEFTLINE_SERVICE_HOST`,
  /// `WEFTLINE_PORT=tcp://…`, `WEFTLINE_PORT_80_TCP`).
  private static boolean isForeign(String variable, String value) {
    return variable.equals("WEFTLINE_JDK")
        || variable.startsWith("WEFTLINE_SERVICE_")
        || variable.startsWith("WEFTLINE_PORT_")
        || variable.equals("WEFTLINE_PORT") && value.contains("://");
  }

  private static Optional<Path> found(Path directory) {
    for (var name : List.of("weftline.properties", "weftline.yaml", "weftline.yml")) {
      var file = directory.resolve(name);
      if (Files.isRegularFile(file)) return Optional.of(file);
    }
    return Optional.empty();
  }

  private static Map<String, String> readFile(Path file) {
    try {
      if (Files.size(file) > FILE_BYTES_MAX) {
        throw new IllegalArgumentException(file + " is larger than " + FILE_BYTES_MAX + " bytes");
      }
      var name = String.valueOf(file.getFileName());
      return name.endsWith(".yaml") || name.endsWith(".yml")
          ? readYaml(file)
          : readProperties(file);
    } catch (NoSuchFileException e) {
      throw new IllegalArgumentException("configuration file " + file + " does not exist", e);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "configuration file " + file + " cannot be read: " + e.getMessage(), e);
    }
  }

  private static Map<String, String> readProperties(Path file) throws IOException {
    var properties = new Properties();
    try (var reader = Files.newBufferedReader(file)) {
      properties.load(reader);
    }
    var texts = new LinkedHashMap<String, String>();
    for (var name : properties.stringPropertyNames().stream().sorted().toList()) {
      texts.put(name.replace('.', '-'), properties.getProperty(name));
    }
    return texts;
  }

  private static Map<String, String> readYaml(Path file) throws IOException {
    Object document;
    try (var reader = Files.newBufferedReader(file)) {
      document =
          new Load(LoadSettings.builder().setLabel(file.toString()).build()).loadFromReader(reader);
    } catch (YamlEngineException e) {
      throw new IllegalArgumentException(file + " is not YAML: " + e.getMessage(), e);
    }
    var texts = new LinkedHashMap<String, String>();
    if (document != null) flatten(file, "", document, texts);
    return texts;
  }

  private static void flatten(
      Path file, String name, @Nullable Object node, Map<String, String> texts) {
    switch (node) {
      case Map<?, ?> map ->
          map.forEach((key, value) ->
              flatten(file, name.isEmpty() ? String.valueOf(key) : name + "-" + key, value, texts));
      case Collection<?> list when !name.isEmpty() ->
          texts.put(name, list.stream().map(String::valueOf).collect(Collectors.joining(",")));
      case null, default -> {
        if (name.isEmpty() || node == null) {
          throw new IllegalArgumentException(
              file
                  + ": options are lines such as `port: 8080`"
                  + (name.isEmpty() ? "" : ", " + name + " has no value"));
        }
        texts.put(name, node.toString());
      }
    }
  }

  private static void put(
      Map<String, ServerOption.Value<?>> values, String name, String text, String where) {
    var option = option(name, where);
    try {
      values.put(option.name(), option.read(text));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw new IllegalArgumentException(where + ": '" + text + "' is " + e.getMessage(), e);
    }
  }

  private static ServerOption<?> option(String name, String where) {
    for (var option : ServerOptions.ALL) {
      if (option.name().equals(name)) return option;
    }
    var names = ServerOptions.ALL.stream().map(ServerOption::name).toList();
    var nearest = NearestName.to(name, names).orElseThrow();
    throw new IllegalArgumentException(
        where + " is no option that is known; the nearest is " + nearest);
  }
}
