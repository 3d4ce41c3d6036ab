package dev.weftline.interop;

import dev.weftline.interop.ServersUnderTest.Transport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;

/// The h2spec program: the Linux binary that a Maven plugin carries, run against a port, with its
/// report read back. It numbers its chapters by RFC 7540 and RFC 7541.
final class H2Spec {
  private static final String ARCHIVE = "/h2spec/2.2.0/h2spec_linux_amd64.tar.gz";

  /// What h2spec waits for a reply; its own 2 s are short for a machine with other things to do.
  private static final int REPLY_SECONDS = 4;

  /// A whole run takes seconds. It never ends where a server lets streams be opened without end.
  private static final int RUN_SECONDS = 120;

  /// @param id suite, section and number, as h2spec takes it on its command line: `http2/8.1.2.1/3`
  /// @param title what it does, in h2spec's words
  /// @param failure what it says against the server; empty when it has nothing to say
  record Case(String id, String title, Optional<String> failure) {}

  private final Path directory;

  /// @param directory where the program is unpacked and its reports are written
  H2Spec(Path directory) throws IOException, InterruptedException {
    this.directory = Files.createDirectories(directory);
    var archive = directory.resolve("h2spec.tar.gz");
    try (var in = H2Spec.class.getResourceAsStream(ARCHIVE)) {
      if (in == null) throw new IOException(ARCHIVE + " is not on the class path");
      Files.write(archive, in.readAllBytes());
    }
    run(List.of("tar", "-xzf", archive.toString(), "-C", directory.toString()), "tar.txt");
  }

  static boolean runsHere() {
    return System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux")
        && List.of("amd64", "x86_64").contains(System.getProperty("os.arch"));
  }

  /// Runs `specs`, strict cases included, and returns the cases that ran, in h2spec's order.
  List<Case> run(int port, Transport transport, String... specs)
      throws IOException, InterruptedException {
    var report = directory.resolve(transport + ".xml");
    var command = new ArrayList<String>();
    command.add(directory.resolve("h2spec").toString());
    command.addAll(List.of("--port", Integer.toString(port)));
    command.addAll(List.of("--timeout", Integer.toString(REPLY_SECONDS)));
    command.addAll(List.of("--junit-report", report.toString()));
    command.add("--strict");
    if (transport == Transport.TLS) command.addAll(List.of("--tls", "--insecure"));
    command.addAll(List.of(specs));
    Files.deleteIfExists(report);
    run(command, transport + ".txt");
    return read(report);
  }

  /// h2spec's exit code only repeats what its report says, so it is not looked at.
  private void run(List<String> command, String output) throws IOException, InterruptedException {
    var log = directory.resolve(output);
    var process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    if (!process.waitFor(RUN_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new IOException(command + " did not end within " + RUN_SECONDS + " s, see " + log);
    }
  }

  private static List<Case> read(Path report) throws IOException {
    var cases = new ArrayList<Case>();
    var suites = elements(parse(report), "testsuite");
    for (var suite : suites) {
      int number = 0;
      for (var one : elements(suite, "testcase")) {
        number++;
        var id = one.getAttribute("package") + "/" + number;
        cases.add(new Case(id, one.getAttribute("classname"), failure(one)));
      }
    }
    return cases;
  }

  private static Element parse(Path report) throws IOException {
    try {
      return DocumentBuilderFactory.newDefaultInstance()
          .newDocumentBuilder()
          .parse(report.toFile())
          .getDocumentElement();
    } catch (Exception e) { // ParserConfigurationException, SAXException: no report, no result
      throw new IOException("h2spec left no readable report in " + report, e);
    }
  }

  /// `<failure>`: the reply was wrong. `<error>`: none came. `<skipped>`: h2spec could not try.
  private static Optional<String> failure(Element one) {
    for (var kind : List.of("failure", "error", "skipped")) {
      var found = elements(one, kind);
      if (!found.isEmpty()) return Optional.of(kind + ": " + found.getFirst().getTextContent());
    }
    return Optional.empty();
  }

  private static List<Element> elements(Element parent, String name) {
    var found = new ArrayList<Element>();
    var nodes = parent.getElementsByTagName(name);
    for (int i = 0; i < nodes.getLength(); i++) found.add((Element) nodes.item(i));
    return found;
  }
}
