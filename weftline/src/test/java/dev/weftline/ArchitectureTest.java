package dev.weftline;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.GeneralCodingRules;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/// Reads the house: what may import what, and what things are called.
final class ArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .withImportOption(location -> !location.contains("/test-classes/"))
          .withImportOption(location -> !location.contains("-tests.jar"))
          .importPackages("dev.weftline");

  /// The rules below mean nothing when there is nothing to read.
  @Test
  void bothModulesWereRead() {
    assertThat(CLASSES.size()).isGreaterThan(80);
    assertThat(CLASSES.contain("dev.weftline.server.Server")).isTrue();
    assertThat(CLASSES.contain("dev.weftline.internal.http2.Http2Connection")).isTrue();
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("dev.weftline.(**)..").should().beFreeOfCycles().check(CLASSES);
  }

  /// Imports point one way: `server → straight → grpcjava → call → {thread, admission → protocol →
  /// http}`, and beside it `server → net → {http1 → http2 → hpack} → http`.
  @Test
  void importsPointOneWay() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .layer("api")
        .definedBy("dev.weftline")
        .layer("plain http")
        .definedBy("dev.weftline.http..")
        .layer("server")
        .definedBy("dev.weftline.server..")
        .layer("straight")
        .definedBy("dev.weftline.internal.straight..")
        .layer("grpcjava")
        .definedBy("dev.weftline.internal.grpcjava..")
        .layer("call")
        .definedBy("dev.weftline.internal.call..")
        .layer("thread")
        .definedBy("dev.weftline.internal.thread..")
        .layer("admission")
        .definedBy("dev.weftline.internal.admission..")
        .layer("protocol")
        .definedBy("dev.weftline.internal.protocol..")
        .layer("net")
        .definedBy("dev.weftline.internal.net..")
        .layer("http1")
        .definedBy("dev.weftline.internal.http1..")
        .layer("http2")
        .definedBy("dev.weftline.internal.http2..")
        .layer("hpack")
        .definedBy("dev.weftline.internal.hpack..")
        .layer("http")
        .definedBy("dev.weftline.internal.http..")
        .whereLayer("plain http")
        .mayOnlyBeAccessedByLayers("server", "call")
        .whereLayer("server")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("straight")
        .mayOnlyBeAccessedByLayers("server")
        .whereLayer("grpcjava")
        .mayOnlyBeAccessedByLayers("server", "straight")
        .whereLayer("call")
        .mayOnlyBeAccessedByLayers("server", "straight", "grpcjava")
        .whereLayer("thread")
        .mayOnlyBeAccessedByLayers("server", "straight", "grpcjava", "call")
        .whereLayer("admission")
        .mayOnlyBeAccessedByLayers("server", "call")
        .whereLayer("protocol")
        .mayOnlyBeAccessedByLayers("server", "straight", "grpcjava", "call", "admission")
        .whereLayer("net")
        .mayOnlyBeAccessedByLayers("server")
        .whereLayer("http1")
        .mayOnlyBeAccessedByLayers("server", "net")
        .whereLayer("http2")
        // call: the names of error codes, for StatusMapping.
        .mayOnlyBeAccessedByLayers("server", "net", "http1", "call")
        .whereLayer("hpack")
        .mayOnlyBeAccessedByLayers("http2")
        .check(CLASSES);
  }

  @Test
  void wireAndThreadsKnowNoGrpc() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "dev.weftline.internal.thread..",
            "dev.weftline.internal.http..",
            "dev.weftline.internal.http1..",
            "dev.weftline.internal.http2..",
            "dev.weftline.internal.hpack..",
            "dev.weftline.internal.net..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.grpc..", "com.google.protobuf..")
        .check(CLASSES);
  }

  @Test
  void grpcJavasOwnInternalsStayInTheBridge() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.weftline.internal.grpcjava..")
        .should()
        .dependOnClassesThat(resideInAPackage("io.grpc.internal.."))
        .check(CLASSES);
  }

  @Test
  void everyPackageIsNullMarked() {
    for (var type : CLASSES) {
      assertThat(type.getPackage().isAnnotatedWith(NullMarked.class))
          .as("@NullMarked on " + type.getPackageName())
          .isTrue();
    }
  }

  @Test
  void namesAreNounsThatWereFound() {
    for (var word :
        new String[] {
          "Impl", "Util", "Utils", "Manager", "Helper", "Base", "Abstract", "Default"
        }) {
      classes()
          .should()
          .haveSimpleNameNotEndingWith(word)
          .andShould()
          .haveSimpleNameNotStartingWith(word)
          .check(CLASSES);
    }
  }

  @Test
  void nothingIsPrinted() {
    GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS.check(CLASSES);
  }

  @Test
  void whatIsPublicAndInternalIsFinalOrSealed() {
    for (JavaClass type : CLASSES) {
      if (!type.getPackageName().startsWith("dev.weftline.internal") || type.isInterface())
        continue;
      boolean closed =
          type.getModifiers().contains(com.tngtech.archunit.core.domain.JavaModifier.FINAL)
              || type.getModifiers()
                  .contains(com.tngtech.archunit.core.domain.JavaModifier.ABSTRACT)
              || type.isEnum()
              || type.isAnonymousClass();
      assertThat(closed).as(type.getName() + " is final").isTrue();
    }
  }
}
