package dev.weftline.protoc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What the plugin makes of `src/test/protobuf`, through protoc and Maven, stands in
/// `src/test/golden`. After a change that is meant, `-Dweftline.golden.update=true` writes it anew.
final class GoldenFilesTest {
  private static final Path GOLDEN = Path.of("src/test/golden");

  @ParameterizedTest
  @MethodSource("generated")
  void isAsBefore(Path file) throws IOException {
    var actual = GeneratedCode.FOLDER.resolve(file);
    var golden = GOLDEN.resolve(file);
    if (Boolean.getBoolean("weftline.golden.update")) {
      Files.createDirectories(golden.getParent());
      Files.writeString(golden, Files.readString(actual));
    }
    assertThat(golden).exists();
    assertThat(actual).hasSameTextualContentAs(golden);
  }

  static Set<Path> generated() throws IOException {
    return GeneratedCode.files();
  }

  @Test
  void everyServiceHasItsFile() throws IOException {
    assertThat(generated()).isEqualTo(GeneratedCode.filesIn(GOLDEN)).hasSizeGreaterThan(8);
  }
}
