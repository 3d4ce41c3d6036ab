package dev.weftline.tutorial;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The README's sixty seconds, done as a new user would: its files in an empty folder, its commands
/// as they are printed, and the lines that it promises.
///
/// The artifacts are those that this build has just packaged, in a local repository of their own;
/// what else Maven needs it takes from the one of this build, or fetches.
@Timeout(300)
class ReadmeTourIT {
  private static final Path ROOT = Path.of("..", "..").toAbsolutePath().normalize();
  private static final Path REPOSITORY = Path.of("target", "tour-repository").toAbsolutePath();
  private static final String VERSION = property("weftline.version");

  /// A code block of the README behind a comment that says what it is: a file, or a terminal.
  private static final Pattern BLOCK =
      Pattern.compile("<!-- tour: ([^\n]+) -->\n```\\w+\n(.*?)\n```", Pattern.DOTALL);

  private static final int COMMAND_SECONDS_MAX = 240;

  private @TempDir Path project;
  private @TempDir Path bin;
  private Map<String, String> blocks;

  @BeforeEach
  void read() throws IOException {
    int port;
    try (var freed = new ServerSocket(0)) {
      port = freed.getLocalPort();
    }
    blocks = new LinkedHashMap<>();
    var found = BLOCK.matcher(Files.readString(ROOT.resolve("README.md")));
    while (found.find()) blocks.put(found.group(1), found.group(2).replace("50051", "" + port));
  }

  @Test
  void fromAnEmptyFolderToStreams() throws Exception {
    var first = Terminal.of(block("the first terminal"));
    var second = Terminal.of(block("the second terminal"));
    for (var file : blocks.entrySet()) {
      var path = project.resolve(file.getKey());
      Files.createDirectories(path.getParent());
      Files.writeString(path, file.getValue() + "\n");
    }
    publish();
    mavenOnThePath();

    for (var command : first.commands.subList(0, first.commands.size() - 1)) {
      assertThat(run(command)).as(command).isEmpty();
    }
    var log = Files.createTempFile(bin, "server", ".log");
    var server =
        shell("exec " + first.commands.getLast())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      awaitListening(server, log);
      for (var command : second.commands) {
        assertThat(run(command)).as(command).isEqualTo(second.output);
      }
    } finally {
      server.destroy();
      assertThat(server.waitFor(30, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(Files.readString(log)).doesNotContain("WARNING", "Exception");
  }

  private String block(String name) {
    var block = blocks.remove(name);
    if (block == null) throw new AssertionError("the README has no block '" + name + "'");
    return block;
  }

  /// Commands behind a `$`, and all that they print.
  private record Terminal(List<String> commands, String output) {
    static Terminal of(String block) {
      var commands = new ArrayList<String>();
      var output = new StringBuilder();
      for (var line : block.lines().toList()) {
        if (line.startsWith("$ ")) commands.add(line.substring(2));
        else output.append(line).append('\n');
      }
      assertThat(commands).isNotEmpty();
      return new Terminal(commands, output.toString());
    }
  }

  /// What `mvn install` would put there.
  private static void publish() throws IOException {
    copy(ROOT.resolve("pom.xml"), "weftline-parent", "pom");
    for (var module : List.of("weftline-wire", "weftline", "weftline-protoc")) {
      copy(ROOT.resolve(module).resolve("pom.xml"), module, "pom");
      copy(ROOT.resolve(module).resolve("target", module + "-" + VERSION + ".jar"), module, "jar");
    }
  }

  private static void copy(Path file, String artifact, String type) throws IOException {
    var name = artifact + "-" + VERSION + "." + type;
    var target = REPOSITORY.resolve(Path.of("dev", "weftline", artifact, VERSION, name));
    Files.createDirectories(target.getParent());
    Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
  }

  /// `mvn` is the wrapper of this build: the same Maven, nothing to install.
  private void mavenOnThePath() throws IOException {
    var mvn =
        Files.writeString(
            bin.resolve("mvn"),
            """
            #!/bin/sh
            exec '%s' -B -ntp '-Dmaven.repo.local=%s' '-Dmaven.repo.local.tail=%s' "$@"
            """
                .formatted(ROOT.resolve("mvnw"), REPOSITORY, property("maven.repository")));
    assertThat(mvn.toFile().setExecutable(true)).isTrue();
  }

  /// Runs it to its end, and gives what it printed on stdout.
  private String run(String command) throws Exception {
    var err = Files.createTempFile(bin, "command", ".err");
    var process = shell(command).redirectError(err.toFile()).start();
    process.getOutputStream().close();
    try (var out = process.inputReader()) {
      var text = new StringBuilder();
      for (String line; (line = out.readLine()) != null; ) text.append(line).append('\n');
      assertThat(process.waitFor(COMMAND_SECONDS_MAX, TimeUnit.SECONDS)).as(command).isTrue();
      assertThat(process.exitValue()).as("%s\n%s%s", command, text, Files.readString(err)).isZero();
      return text.toString();
    } finally {
      process.destroy();
    }
  }

  private ProcessBuilder shell(String command) {
    var shell = new ProcessBuilder("sh", "-c", command).directory(project.toFile());
    var java = Path.of(System.getProperty("java.home"));
    shell.environment().put("JAVA_HOME", java.toString());
    shell
        .environment()
        .merge(
            "PATH",
            bin + File.pathSeparator + java.resolve("bin"),
            (path, first) -> first + File.pathSeparator + path);
    // Of the Maven around this test.
    for (var name : List.of("MAVEN_BASEDIR", "MAVEN_PROJECTBASEDIR", "MAVEN_OPTS", "MAVEN_ARGS")) {
      shell.environment().remove(name);
    }
    return shell;
  }

  private static void awaitListening(Process server, Path log) throws Exception {
    while (!Files.readString(log).contains("listening on")) {
      assertThat(server.isAlive()).as(Files.readString(log)).isTrue();
      Thread.sleep(50);
    }
  }

  private static String property(String name) {
    var value = System.getProperty(name);
    if (value == null) throw new IllegalStateException("run by ./mvnw verify, which sets " + name);
    return value;
  }
}
